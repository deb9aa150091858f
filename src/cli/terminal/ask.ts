import { createInterface } from 'node:readline/promises';

/** Whether the person at the terminal says yes; the question goes to stderr, since stdout is for data. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
