import type { Unfinished } from '../../wire/frame-reader.ts';

const FIRST_BYTES = 2 * 1024;
const MAX_BYTES = 256 * 1024;
const GROWTH = 4;
/** A buffer with less than this part free is given up: reads into a sliver cost as much as large ones. */
const LEAST_FREE = 1 / 8;

/**
 * Where one socket's bytes are read to, one read behind the other, so that a message that spans reads lies in one
 * piece. Never reused: who holds a view keeps it for as long as wanted. Starts small, since most connections idle, and
 * grows with the traffic; pages that were never written take no memory.
 */
export class ReceiveBuffer {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /**
   * Where the next read goes. A message that has begun, and will not end in what is left here but fits the next
   * buffer, moves there: half of one is copied then, as a rule, in place of joining all of it later.
   */
  next(unfinished?: Unfinished): Uint8Array {
    const left = this.#buffer.length - this.#at;
    const { heldBytes = 0, missingBytes = 0 } = unfinished ?? {};
    const nextBytes = Math.min(MAX_BYTES, this.#buffer.length * GROWTH);
    const moves = missingBytes > left && heldBytes + missingBytes <= nextBytes;
    if (moves || left < this.#buffer.length * LEAST_FREE) {
      this.#buffer = Buffer.allocUnsafeSlow(nextBytes);
      this.#at = 0;
      if (moves) {
        unfinished?.moveTo(this.#buffer);
        this.#at = heldBytes;
      }
    }
    return this.#buffer.subarray(this.#at);
  }

  /** `size` bytes have arrived there. */
  take(size: number): Uint8Array {
    const { buffer, byteOffset } = this.#buffer;
    const chunk = new Uint8Array(buffer, byteOffset + this.#at, size);
    this.#at += size;
    return chunk;
  }
}
