import { parentPort, workerData } from 'node:worker_threads';
import { Cases, TARGETS, faultOf, shrunk } from './run.ts';

/** What a worker is told: which target, from which seed, how many cases or until when. */
export interface WorkerTask {
  target: string;
  seed: number;
  cases: number;
  untilMs: number;
}

/** What it tells: how far it is (and with which input, before it tries it), or what it found. */
export type WorkerNews =
  | { type: 'at'; done: number; input: Uint8Array }
  | { type: 'done'; done: number }
  | { type: 'fault'; done: number; input: Uint8Array; why: string };

/** So that a case that never ends is known by what it was given; a message a case would cost more than the case. */
const TELL_EVERY = 64;

const task = workerData as WorkerTask;
const target = TARGETS.find(({ name }) => name === task.target);
if (target === undefined || parentPort === null) throw new Error(`there is no target ${task.target}`);
const tell = (news: WorkerNews) => parentPort?.postMessage(news);
const cases = new Cases(target, task.seed);

let done = 0;
let unexpected: Error | undefined;
process.on('unhandledRejection', (error) => (unexpected = error as Error));
while (done < task.cases && Date.now() < task.untilMs) {
  const input = cases.next();
  if (done % TELL_EVERY === 0) tell({ type: 'at', done, input });
  const fault = (await faultOf(target, input)) ?? unexpected;
  if (fault !== undefined) {
    const small = await shrunk(target, input, fault.name);
    tell({ type: 'fault', done, input: small, why: fault.stack ?? fault.message });
    process.exit(1);
  }
  done++;
}
await target.close?.();
tell({ type: 'done', done });
