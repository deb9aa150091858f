import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Whoever read us has read enough: `| head` is no failure. */
export class ReaderGone extends Error {
  override name = 'ReaderGone';
}

/** A stream that is written no faster than it is read. */
export class Output {
  readonly #stream: Writable;
  #failure: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'EPIPE' ? new ReaderGone() : error;
    });
  }

  /** Resolves when there is room for more. @throws ReaderGone */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.write(chunk)) return;
    await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all has left. @throws ReaderGone */
  async flush(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write('', (error) => (error ? reject(this.#failure ?? error) : resolve()));
    });
  }
}
