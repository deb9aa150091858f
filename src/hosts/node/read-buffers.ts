/** Below it new memory costs less than it is worth keeping. */
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
/** What a read takes beyond a power of two, as those of 1 MB do: the room where an index may point. */
const SLACK = 1 + 1 / 16;
/** Kept for reads to come. */
const FREE_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Memory that files are read into on their way to clients, used again once a socket has sent it: new memory comes with
 * a page fault every 4 KB and must be collected, which costs more than the read. What is not sent, or not by a socket
 * that tells, is simply forgotten and left to the garbage collector.
 */
export class ReadBuffers {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;
  /** Buffers that are lent, and how many of their chunks a socket has and has not sent yet. */
  readonly #lent = new WeakMap<ArrayBufferLike, number>();

  /** Memory of `sizeBytes` with anything in it. */
  take(sizeBytes: number): Uint8Array {
    const capacity = capacityFor(sizeBytes);
    if (sizeBytes < LEAST_BYTES || capacity > MOST_BYTES * SLACK) return unset(sizeBytes);
    const known = this.#free.get(capacity)?.pop();
    if (known) this.#freeBytes -= capacity;
    const buffer = known ?? unset(capacity).buffer;
    this.#lent.set(buffer, 0);
    return new Uint8Array(buffer, 0, sizeBytes);
  }

  /**
   * A socket is about to send `chunk`, which is the last use of its buffer but for other chunks that are sent together
   * with it. @returns what it is to call then, if anything.
   */
  sending({ buffer }: Uint8Array): ((error?: Error | null) => void) | undefined {
    const chunks = this.#lent.get(buffer);
    if (chunks === undefined) return undefined;
    this.#lent.set(buffer, chunks + 1);
    return (error) => {
      if (!error) this.#sent(buffer as ArrayBuffer);
    };
  }

  #sent(buffer: ArrayBuffer): void {
    const chunks = (this.#lent.get(buffer) ?? 0) - 1;
    this.#lent.set(buffer, chunks);
    if (chunks > 0) return;
    this.#lent.delete(buffer);
    const capacity = buffer.byteLength;
    if (this.#freeBytes + capacity > FREE_MAX_BYTES) return;
    this.#freeBytes += capacity;
    const alike = this.#free.get(capacity);
    if (alike) alike.push(buffer);
    else this.#free.set(capacity, [buffer]);
  }
}

function capacityFor(sizeBytes: number): number {
  return 2 ** Math.ceil(Math.log2(sizeBytes / SLACK)) * SLACK;
}

function unset(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(sizeBytes);
  return new Uint8Array(buffer);
}
