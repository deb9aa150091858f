import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Files } from '../ports/files.ts';
import { DELETED_SUFFIX } from './layout.ts';

export interface RetiredParts {
  disk: Files;
  /** Without one no file stays. */
  clock: Clock | undefined;
  background(work: Promise<void>): void;
}

/**
 * Files of segments that are no part of their log any more. As in Kafka they have another name at once, which the next
 * start would remove, and go `file.delete.delay.ms` later: whoever copies the directory has them meanwhile.
 */
export class RetiredFiles {
  readonly #parts: RetiredParts;
  readonly #waiting = new Map<string, () => void>();

  constructor(parts: RetiredParts) {
    this.#parts = parts;
  }

  /** @param path of a file; it need not be there. */
  async retire(path: string, delayMs: Millis): Promise<void> {
    const { disk, clock } = this.#parts;
    if (clock === undefined || delayMs <= 0) return disk.remove(path);
    const retired = path + DELETED_SUFFIX;
    try {
      await disk.rename(path, retired);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return;
      throw error;
    }
    this.#waiting.get(retired)?.();
    const stop = clock.at(clock.now() + delayMs, () => {
      this.#waiting.delete(retired);
      this.#parts.background(disk.remove(retired));
    });
    this.#waiting.set(retired, stop);
  }

  /** Removes what still waits. */
  async close(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [, stop] of waiting) stop();
    for (const [path] of waiting) await this.#parts.disk.remove(path);
  }
}
