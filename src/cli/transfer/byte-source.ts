import { concat } from '../../model/bytes.ts';

/** Bytes as they come, and how many have been taken: what is wrong is wrong at a byte. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #ended = false;
  /** Bytes taken so far. */
  position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, fewer only at the end. They stay as they are. */
  async take(count: number): Promise<Uint8Array> {
    while (this.#heldBytes < count && (await this.#more()));
    const all = this.#joined();
    return this.#cut(all, Math.min(count, all.length));
  }

  /**
   * The next line without its end; undefined when there is none. @throws RangeError when it is longer than `maxBytes`.
   */
  async line(maxBytes: number): Promise<Uint8Array | undefined> {
    for (let searched = 0; ;) {
      const all = this.#joined();
      const end = all.indexOf(LINE_FEED, searched);
      if (end >= 0) return this.#cut(all, end + 1).subarray(0, end);
      if (all.length > maxBytes) throw new RangeError(`longer than ${maxBytes} bytes`);
      searched = all.length;
      if (await this.#moreThan(2 * all.length)) continue;
      if (this.#heldBytes === 0) return undefined;
      if (this.#heldBytes === searched) return this.#cut(all, all.length);
    }
  }

  /** Reads until so much is held, so that a long line is joined a few times and not once a chunk. */
  async #moreThan(count: number): Promise<boolean> {
    const before = this.#heldBytes;
    while (await this.#more()) if (this.#heldBytes > Math.min(count, JOIN_MAX_BYTES + before)) return true;
    return this.#heldBytes > before;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#chunks.next();
    if (done === true) {
      this.#ended = true;
      return false;
    }
    this.#held.push(value);
    this.#heldBytes += value.length;
    return true;
  }

  #joined(): Uint8Array {
    const [first] = this.#held;
    if (this.#held.length > 1 || first === undefined) this.#held = [concat(this.#held)];
    return this.#held[0] as Uint8Array;
  }

  #cut(all: Uint8Array, count: number): Uint8Array {
    this.#held = [all.subarray(count)];
    this.#heldBytes -= count;
    this.position += count;
    return all.subarray(0, count);
  }
}

const LINE_FEED = 0x0a;
const JOIN_MAX_BYTES = 16 * 1024 * 1024;
