import { eachLimited } from './limited.ts';
import type { SegmentLog } from './segment-log.ts';

interface Round {
  logs: Set<SegmentLog>;
  done: PromiseWithResolvers<void>;
}

/** Logs written at the same time: bounds the open files of a round. */
const LOGS_AT_ONCE = 128;

/**
 * Group commit. One round is under way, one gathers what comes meanwhile; all who joined a round share its promise.
 * When any log of a round fails, all callers hear it, so all its logs are given up.
 */
export class Rounds {
  readonly #finish: () => Promise<void>;
  #waiting: Round | undefined;
  #running: Promise<void> | undefined;

  /** @param finish what a round does once all its logs are written. */
  constructor(finish: () => Promise<void>) {
    this.#finish = finish;
  }

  join(logs: Iterable<SegmentLog>): Promise<void> {
    const round = (this.#waiting ??= { logs: new Set(), done: Promise.withResolvers() });
    for (const log of logs) round.logs.add(log);
    if (!this.#running) this.#start();
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
    const round = this.#waiting;
    if (!round) return;
    this.#waiting = undefined;
    this.#running = this.#run(round).then(() => {
      this.#running = undefined;
      this.#start();
    });
  }

  async #run({ logs, done }: Round): Promise<void> {
    try {
      await eachLimited([...logs], LOGS_AT_ONCE, (log) => log.run());
      await this.#finish();
      done.resolve();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const log of logs) log.fail(failure);
      done.reject(failure);
    }
  }
}
