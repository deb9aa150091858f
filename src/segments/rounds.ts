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
 * When any log of a round fails, all callers hear it, so all its logs are given up. What takes long is done apart: what
 * else is asked of that log comes behind it, and no other log waits.
 */
export class Rounds {
  readonly #finish: () => Promise<void>;
  readonly #gather: Gather;
  #waiting: Round | undefined;
  #running: Promise<void> | undefined;
  /** The round that is being written. */
  #current: Round | undefined;
  /** Logs that are at something by themselves, or wait to be; settles with the last of it, never rejects. */
  readonly #apart = new Map<SegmentLog, Promise<void>>();
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
  join(logs: readonly SegmentLog[], bytes: number): Promise<void> {
    for (const log of logs) {
      const apart = this.#apart.get(log);
      if (apart !== undefined) return apart.then(() => this.#joinLater(logs, bytes));
    }
    const round = (this.#waiting ??= { logs: new Set(), bytes: 0, done: Promise.withResolvers() });
    for (const log of logs) round.logs.add(log);
    round.bytes += bytes;
    this.#start();
    if (round.bytes >= GATHERED_MAX_BYTES) this.#begin?.();
    return round.done.promise;
  }

  /** One of them may have failed meanwhile, and with it what its caller believes of the others. */
  #joinLater(logs: readonly SegmentLog[], bytes: number): Promise<void> {
    const failure = logs.find(({ isFailed }) => isFailed)?.failure;
    if (failure === undefined) return this.join(logs, bytes);
    for (const log of logs) log.fail(failure);
    return Promise.reject(failure);
  }

  /**
   * Has a log do something by itself.
   * @param ask asks it of the log, when its turn has come: behind the rounds that have the log already.
   */
  apart(log: SegmentLog, ask: () => void): Promise<void> {
    const work = this.#runApart(log, ask, this.#apart.get(log));
    const settled: Promise<void> = work
      .catch(() => {})
      .then(() => {
        if (this.#apart.get(log) === settled) this.#apart.delete(log);
      });
    this.#apart.set(log, settled);
    return work;
  }

  async #runApart(log: SegmentLog, ask: () => void, before: Promise<void> | undefined): Promise<void> {
    const rounds = [this.#current, this.#waiting].filter((round) => round?.logs.has(log));
    await Promise.all([before, ...rounds.map((round) => round?.done.promise.catch(() => {}))]);
    ask();
    try {
      await log.run();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      log.fail(failure);
      throw failure;
    }
  }

  /** Resolves once a log that has failed is at nothing any more. */
  async over(log: SegmentLog): Promise<void> {
    await Promise.all([this.#running, this.#apart.get(log)]);
  }

  /** Resolves once nothing is under way or waits, however it ended. */
  async idle(): Promise<void> {
    while (this.#running || this.#apart.size > 0) await Promise.all([this.#running, ...this.#apart.values()]);
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

  async #run(round: Round): Promise<void> {
    const { logs, done } = round;
    this.#current = round;
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
    } finally {
      this.#current = undefined;
    }
  }
}
