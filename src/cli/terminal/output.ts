import type { Writable } from 'node:stream';

/** Whoever read us has read enough: `| head` is no failure. */
export class ReaderGone extends Error {
  override name = 'ReaderGone';
}

/** A stream that is written no faster than it is read. */
export class Output {
  readonly #stream: Writable;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error.code === 'EPIPE' ? new ReaderGone() : error;
      this.#wake?.();
    });
    stream.on('close', () => {
      this.#failure ??= new ReaderGone();
      this.#wake?.();
    });
    stream.on('drain', () => this.#wake?.());
  }

  /** Resolves when there is room for more. @throws ReaderGone */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.#failure === undefined && !this.#stream.write(chunk))
      await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#check();
  }

  /** Resolves when all has left. @throws ReaderGone */
  async flush(): Promise<void> {
    this.#check();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stream.write('', () => resolve());
    });
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
