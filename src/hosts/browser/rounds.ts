import type { DatabaseWrite } from './database.ts';

/** What a round asks of those it writes for. */
export interface RoundMember {
  /** Why it can no longer be trusted; undefined while it can. */
  readonly failure: Error | undefined;
  /** The round begins: nothing more goes into it but what is returned here. */
  lastWrites(): readonly DatabaseWrite[];
  fail(error: Error): void;
}

/** What one transaction will write. All who take part share its promise. */
export class Round {
  readonly members = new Set<RoundMember>();
  readonly writes: DatabaseWrite[] = [];
  /** What must be known before it can be written. */
  readonly waitsFor: Promise<void>[] = [];
  /** Called once all is written. */
  readonly whenDone: (() => void)[] = [];
  bytes = 0;
  /** It has ended well. */
  isDone = false;
  readonly #end = Promise.withResolvers<void>();

  constructor() {
    this.#end.promise.catch(() => {});
  }

  get done(): Promise<void> {
    return this.#end.promise;
  }

  async run(write: (writes: readonly DatabaseWrite[]) => Promise<void>): Promise<void> {
    try {
      for (const known of this.waitsFor) await known;
      for (const { failure } of this.members) if (failure) throw failure;
      for (const member of this.members) this.writes.push(...member.lastWrites());
      if (this.writes.length > 0) await write(this.writes);
      this.isDone = true;
      for (const done of this.whenDone) done();
      this.#end.resolve();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const member of this.members) member.fail(failure);
      this.#end.reject(failure);
    }
  }
}

/** More in a transaction makes it no faster, and its slowest ones much slower. */
const ROUND_MAX_BYTES = 512 * 1024;

/** Group commit: one round is under way, the next takes what comes meanwhile. */
export class Rounds {
  readonly #write: (writes: readonly DatabaseWrite[]) => Promise<void>;
  readonly #waiting: Round[] = [];
  #current: Round | undefined;
  #running: Promise<void> | undefined;
  /** Rounds that have ended, well or not: each was one transaction. */
  completed = 0;

  /** @param write one transaction. */
  constructor(write: (writes: readonly DatabaseWrite[]) => Promise<void>) {
    this.#write = write;
  }

  /** The round that takes what is to be written now; it begins once the caller, and who else is at it, is through. */
  next(): Round {
    let round = this.#waiting.at(-1);
    if (!round || round.bytes >= ROUND_MAX_BYTES) {
      round = new Round();
      this.#waiting.push(round);
    }
    this.#running ??= this.#run();
    return round;
  }

  /** Resolves when the round under way has ended, however. */
  async current(): Promise<void> {
    await this.#current?.done.catch(() => {});
  }

  /** Resolves once nothing is under way or waits, however it ended. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      this.#current = this.#waiting.shift();
      await this.#current?.run(this.#write);
      this.completed++;
    }
    this.#current = undefined;
    this.#running = undefined;
  }
}
