import { invariant } from '../model/assert.ts';
import { eachLimited } from './limited.ts';
import type { SegmentLog } from './segment-log.ts';

interface Round {
  logs: Set<SegmentLog>;
  bytes: number;
  done: PromiseWithResolvers<void>;
}

/**
 * Calls `begin` when a round should: at once, or when the host has handed in all it has at hand. Waiting for the end of
 * the event loop's turn costs microseconds and gathers all that the turn's reads brought.
 */
export type Gather = (begin: () => void) => void;

/** With so much to write a round begins whatever else may come: writing and receiving go on side by side. */
const GATHERED_MAX_BYTES = 1024 * 1024;

/** Logs written at the same time: bounds the open files of a round. */
const LOGS_AT_ONCE = 128;

/**
 * Group commit. One round is under way, one gathers what comes meanwhile; all who joined a round share its promise.
 * When any log of a round fails, all callers hear it, so all its logs are given up.
 */
export class Rounds {
  readonly #finish: () => Promise<void>;
  readonly #gather: Gather;
  #waiting: Round | undefined;
  #running: Promise<void> | undefined;
  /** Ends the gathering of the round that is about to run. */
  #begin: (() => void) | undefined;
  /** Rounds that have ended well: under `flush=always` each is one flush of every file it touched. */
  completed = 0;

  /** @param finish what a round does once all its logs are written. */
  constructor({ finish, gather }: { finish: () => Promise<void>; gather: Gather }) {
    this.#finish = finish;
    this.#gather = gather;
  }

  /** @param bytes how much there is to write. */
  join(logs: Iterable<SegmentLog>, bytes: number): Promise<void> {
    const round = (this.#waiting ??= { logs: new Set(), bytes: 0, done: Promise.withResolvers() });
    for (const log of logs) round.logs.add(log);
    round.bytes += bytes;
    this.#start();
    if (round.bytes >= GATHERED_MAX_BYTES) this.#begin?.();
    return round.done.promise;
  }

  /** The round under way; never rejects. */
  get current(): Promise<void> | undefined {
    return this.#running;
  }

  /** Resolves once nothing is under way or waits, however it ended. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #start(): void {
    if (this.#running || !this.#waiting) return;
    const { promise: gathered, resolve: begin } = Promise.withResolvers<void>();
    this.#begin = begin;
    if (this.#waiting.bytes >= GATHERED_MAX_BYTES) begin();
    else this.#gather(begin);
    this.#running = gathered
      .then(() => this.#run(this.#take()))
      .then(() => {
        this.#running = undefined;
        this.#start();
      });
  }

  #take(): Round {
    const round = this.#waiting;
    invariant(round, 'a round that begins has something to do');
    this.#waiting = undefined;
    this.#begin = undefined;
    return round;
  }

  async #run({ logs, done }: Round): Promise<void> {
    try {
      const rest = [...logs].filter((log) => !log.runNow());
      await eachLimited(rest, LOGS_AT_ONCE, (log) => log.run());
      await this.#finish();
      for (const log of logs) log.roundEnded();
      this.completed++;
      done.resolve();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const log of logs) log.fail(failure);
      done.reject(failure);
    }
  }
}
