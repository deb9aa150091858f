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

  /** Where the next read goes. */
  next(): Uint8Array {
    if (this.#buffer.length - this.#at < this.#buffer.length * LEAST_FREE) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, this.#buffer.length * GROWTH));
      this.#at = 0;
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
