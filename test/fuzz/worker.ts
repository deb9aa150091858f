import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { corpusOf } from './corpus.ts';
import { Cases, type Tried, shrunk, targetNamed, tried, triedAlone } from './run.ts';

/** What a worker is told: which target, from which seed, how many cases or until when. */
export interface WorkerTask {
  target: string;
  seed: number;
  cases: number;
  untilMs: number;
  /** Tells of the first input for each outcome that no kept one has. */
  learns: boolean;
}

/** What it tells: how far it is (and with which input, before it tries it), or what it found. */
export type WorkerNews =
  | { type: 'at'; done: number; input: Uint8Array }
  | { type: 'done'; done: number }
  | { type: 'learned'; input: Uint8Array; why: string }
  | { type: 'fault'; done: number; input: Uint8Array; why: string };

/** So that a case that never ends is known by what it was given; a message a case would cost more than the case. */
const TELL_EVERY_MS = 100;

const task = workerData as WorkerTask;
const target = targetNamed(task.target);
const known = new Set<string>();
let unexpected: Error | undefined;
process.on('unhandledRejection', (error) => (unexpected = error as Error));

function tell(news: WorkerNews): void {
  parentPort?.postMessage(news);
}

if (task.learns) {
  for (const { input } of corpusOf(target.name))
    for (const outcome of (await triedAlone(target, input)).outcomes) known.add(outcome);
}
const cases = new Cases(target, task.seed);
let done = 0;
let toldAtMs = 0;
for (let nowMs = Date.now(); done < task.cases && nowMs < task.untilMs; nowMs = Date.now()) {
  const input = cases.next();
  if (nowMs - toldAtMs >= TELL_EVERY_MS) {
    tell({ type: 'at', done, input });
    toldAtMs = nowMs;
    // What Node closes when a turn is over, as it does for zlib's sync calls, would pile up.
    await setImmediate();
  }
  const { outcomes, fault = unexpected } = await tried(target, input);
  if (fault !== undefined) {
    const small = await shrunk(target, input, (other) => other.fault?.name === fault.name);
    tell({ type: 'fault', done, input: small, why: fault.stack ?? fault.message });
    process.exit(1);
  }
  if (task.learns) for (const outcome of outcomes) if (!known.has(outcome)) await learn(input, outcome);
  done++;
}
await target.close?.();
tell({ type: 'done', done });

/** Tells of the smallest input found for an outcome, unless what earlier inputs had left has a part in it. */
async function learn(input: Uint8Array, outcome: string): Promise<void> {
  known.add(outcome);
  const isAlike = ({ outcomes }: Tried) => outcomes.includes(outcome);
  if (!isAlike(await triedAlone(target, input))) return;
  tell({ type: 'learned', input: await shrunk(target, input, isAlike), why: outcome });
}
