import type { Files, OpenFile } from '../ports/files.ts';

interface Held {
  opening: Promise<OpenFile>;
  /** Once it is open. */
  file: OpenFile | undefined;
  users: number;
  /** Since it was last passed over. */
  isUsed: boolean;
  forgotten: boolean;
}

/**
 * Open files by path. Of those that were not used for long the oldest is closed first: whoever was used since the last
 * look is passed over once. One in use is never closed, so the bound is soft.
 */
export class FileCache {
  readonly #files: Files;
  readonly #maxOpen: number;
  /** In order of opening, or of being passed over: in order of use, each use would cost a table two entries. */
  readonly #held = new Map<string, Held>();

  constructor(files: Files, maxOpen: number) {
    this.#files = files;
    this.#maxOpen = maxOpen;
  }

  /** Lends the file to `work`, opened or created when it is not open yet. */
  async use<T>(path: string, work: (file: OpenFile) => Promise<T>, create = false): Promise<T> {
    const held = this.#hold(path, create);
    held.users++;
    try {
      return await work(await held.opening);
    } finally {
      held.users--;
      if (held.users === 0) {
        if (held.forgotten) await closeQuietly(held);
        else if (this.#held.size > this.#maxOpen) this.#shrink();
      }
    }
  }

  /** The file, if it is open: for what is done before anything is awaited. */
  opened(path: string): OpenFile | undefined {
    const held = this.#held.get(path);
    if (held?.file === undefined) return undefined;
    held.isUsed = true;
    return held.file;
  }

  /** The path is about to mean another file, or none. */
  async forget(path: string): Promise<void> {
    const held = this.#held.get(path);
    if (!held) return;
    this.#held.delete(path);
    held.forgotten = true;
    if (held.users === 0) await closeQuietly(held);
  }

  /** All paths that start with `prefix`. */
  async forgetUnder(prefix: string): Promise<void> {
    const paths = [...this.#held.keys()].filter((path) => path.startsWith(prefix));
    await Promise.all(paths.map((path) => this.forget(path)));
  }

  close(): Promise<void> {
    return this.forgetUnder('');
  }

  #hold(path: string, create: boolean): Held {
    const known = this.#held.get(path);
    if (known !== undefined) {
      known.isUsed = true;
      return known;
    }
    const opening = this.#files.open(path, { create });
    const held: Held = { opening, file: undefined, users: 0, isUsed: false, forgotten: false };
    opening.then(
      (file) => (held.file = file),
      () => {
        if (this.#held.get(path) === held) this.#held.delete(path);
      },
    );
    this.#held.set(path, held);
    return held;
  }

  #shrink(): void {
    for (const [path, held] of this.#held) {
      if (this.#held.size <= this.#maxOpen) return;
      if (held.users > 0) continue;
      this.#held.delete(path);
      if (held.isUsed) {
        held.isUsed = false;
        this.#held.set(path, held);
        continue;
      }
      held.forgotten = true;
      void closeQuietly(held);
    }
  }
}

/** What matters was flushed before: a failing close changes nothing. A file that never opened needs none. */
async function closeQuietly({ opening }: Held): Promise<void> {
  try {
    await (await opening).close();
  } catch {
    // See above.
  }
}
