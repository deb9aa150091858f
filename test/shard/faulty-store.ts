import { MemoryLogStore } from '../../src/log/memory-store.ts';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogWrite, ReadRange } from '../../src/ports/log-store.ts';

/** A store in memory whose commits and reads wait for the test, and fail when it says so. */
export class FaultyStore extends MemoryLogStore {
  #held: PromiseWithResolvers<void>[] = [];
  /** Commits from now on wait for `settle`. */
  holds = false;
  /** Reads from now on are as from a disk, and wait for `settle`. */
  isCold = false;
  /** What a log that was given up throws at each read. */
  failure: Error | undefined;

  /** What waits for `settle`. */
  get waiting(): number {
    return this.#held.length;
  }

  override async commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.holds) {
      const held = Promise.withResolvers<void>();
      this.#held.push(held);
      await held.promise;
    }
    await super.commit(writes);
  }

  override read(log: LogKey, range: ReadRange): Uint8Array {
    if (this.failure) throw this.failure;
    const bytes = super.read(log, range);
    if (!this.isCold) return bytes;
    const held = Promise.withResolvers<void>();
    this.#held.push(held);
    // The port allows a promise, the store in memory has no need of it.
    return held.promise.then(() => bytes) as never;
  }

  /** Lets what waits go on, or fail. */
  settle(error?: Error): void {
    for (const held of this.#held.splice(0)) {
      if (error === undefined) held.resolve();
      else held.reject(error);
    }
  }
}
