import { MemoryLogStore } from '../../src/log/memory-store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';

/** A store in memory whose commits wait for the test, and fail when it says so. */
export class FaultyStore extends MemoryLogStore {
  #held: PromiseWithResolvers<void>[] = [];
  /** Commits from now on wait for `settle`. */
  holds = false;

  override async commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.holds) {
      const held = Promise.withResolvers<void>();
      this.#held.push(held);
      await held.promise;
    }
    await super.commit(writes);
  }

  /** Lets what waits go on, or fail. */
  settle(error?: Error): void {
    for (const held of this.#held.splice(0)) {
      if (error === undefined) held.resolve();
      else held.reject(error);
    }
  }
}
