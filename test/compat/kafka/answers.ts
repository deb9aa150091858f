import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../suite.ts';

/** What one command or check came to with our broker; `npm run docs` makes a page of them. */
export interface Answer {
  /** The command, or what was checked. */
  asked: string;
  /** It answered as it has to. */
  isRight: boolean;
  /** What was looked for, as it was found, or what was not expected. */
  says: string;
}

/** Runs one check of what our broker answers, and keeps what the work says of it. */
export type Ask = (asked: string, work: () => Promise<string> | string) => Promise<boolean>;

/** By suite. */
export type Answers = Readonly<Record<string, readonly Answer[]>>;

const FILE = join(import.meta.dirname, 'answers.json');

export function readAnswers(): Answers {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Answers;
}

/** Those of a suite that has run to its end, instead of those of its last run. */
export async function keepAnswers(suite: string, answers: readonly Answer[]): Promise<void> {
  const all = Object.entries({ ...readAnswers(), [suite]: answers });
  const sorted = Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(FILE, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** Checks `of` somebody's broker whose answers are put into `into`. */
export function asking(check: Check, of: string, into: Answer[]): Ask {
  return (asked, work) =>
    check(`${of}: ${asked}`, async () => {
      const answer: Answer = { asked, isRight: false, says: '' };
      into.push(answer);
      try {
        answer.says = await work();
        answer.isRight = true;
      } catch (error) {
        answer.says = (error as Error).message.split('\n')[0] ?? '';
        throw error;
      }
    });
}

/** Each builds on the one before: once one has failed, those that follow fail at once. */
export function inTurn(ask: Ask): Ask {
  let isRight = true;
  return async (asked, work) => {
    isRight = await ask(
      asked,
      isRight ? work : () => Promise.reject(new Error('what it builds on has failed')),
    );
    return isRight;
  };
}
