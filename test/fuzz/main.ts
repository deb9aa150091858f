import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Kept, keep } from './corpus.ts';
import { TARGETS, targetNamed } from './run.ts';
import type { WorkerNews, WorkerTask } from './worker.ts';

const CASES = 1_000_000;
const AT_ONCE = 2;
/** A worker that says nothing for so long has a case that does not end. */
const SILENCE_MAX_MS = 120_000;
const MEMORY_MAX_MB = 1024;

/**
 * `npm run fuzz [-- --seconds N --cases N --seed N --target NAME --learn]`: a million cases over all targets, or as
 * many as come in so many seconds. What fails is made small, kept under test/fuzz/corpus and printed; the exit code is
 * then 1. With `--learn` the smallest input found for each outcome that is new is kept too.
 */
async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      cases: { type: 'string' },
      seed: { type: 'string' },
      target: { type: 'string' },
      learn: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  const chosen = values.target === undefined ? TARGETS : [targetNamed(values.target)];
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  const total = Number(values.cases ?? (seconds === undefined ? CASES : Infinity));
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const startedAtMs = Date.now();
  console.log(`seed ${seed}`);
  const results = await inTurn(
    chosen.map((target) => () => {
      const part = target.share / shares;
      return fuzz({
        target: target.name,
        seed,
        cases: Math.ceil(total * part),
        untilMs:
          seconds === undefined
            ? Infinity
            : Date.now() + (seconds * 1000 * Math.min(AT_ONCE, chosen.length)) / chosen.length,
        learns: values.learn,
      });
    }),
  );
  const cases = results.reduce((sum, { done }) => sum + done, 0);
  const failed = results.filter(({ ok }) => !ok).length;
  const took = ((Date.now() - startedAtMs) / 1000).toFixed(0);
  console.log(`\n${cases.toLocaleString('en')} cases, ${failed} faults, seed ${seed}, ${took} s`);
  return failed === 0;
}

interface Result {
  ok: boolean;
  done: number;
}

/** Runs all, a few at once. */
async function inTurn(works: readonly (() => Promise<Result>)[]): Promise<Result[]> {
  const results: Result[] = [];
  const queue = works.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const work of queue) results.push(await work());
    }),
  );
  return results;
}

function fuzz(task: WorkerTask): Promise<Result> {
  const startedAtMs = Date.now();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MB },
  });
  return new Promise((resolve) => {
    let last: { done: number; input: Uint8Array } = { done: 0, input: new Uint8Array(0) };
    let timer: NodeJS.Timeout;
    const end = (ok: boolean, done: number, why = '') => {
      clearTimeout(timer);
      const took = ((Date.now() - startedAtMs) / 1000).toFixed(1);
      console.log(
        `${ok ? 'ok    ' : 'FAULT '} ${task.target.padEnd(12)} ${done.toLocaleString('en')} cases, ${took} s`,
      );
      if (!ok) console.log(why);
      void worker.terminate();
      resolve({ ok, done });
    };
    const fail = (why: string, input: Uint8Array, done: number) =>
      end(false, done, `${why}\n  kept in ${keep(task.target, { input, why: why.split('\n', 1).join() })}`);
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(
        () => fail('no end, in one of the cases of a tenth of a second from this on', last.input, last.done),
        SILENCE_MAX_MS,
      );
    };
    listen();
    worker.on('message', (news: WorkerNews) => {
      listen();
      if (news.type === 'at') last = news;
      else if (news.type === 'done') end(true, news.done);
      else if (news.type === 'learned') learned(task.target, news);
      else fail(news.why, news.input, news.done);
    });
    worker.on('error', (error) => fail(`the worker died: ${error.stack}`, last.input, last.done));
  });
}

function learned(target: string, { input, why }: Kept): void {
  keep(target, { input, why });
  console.log(`new    ${target.padEnd(12)} ${why}, ${input.length} bytes`);
}

process.exit((await main()) ? 0 : 1);
