import { ErrorCode, KafkaError } from '../model/errors.ts';

/** Held chunks shorter than this are joined with their neighbours. */
const SMALL_CHUNK_BYTES = 16 * 1024;

/**
 * Cuts a byte stream into Kafka messages: an int32 length, then that many bytes. Memory is taken as bytes arrive,
 * never for what a length merely announces. A message that lies whole in one chunk is a view of it; one that spans
 * chunks is joined once.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  /** Held bytes are not looked at again before there are this many. */
  #neededBytes = 0;

  /** @param maxBytes largest message; longer (or negative) lengths are refused, whatever the bytes really were. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of an unfinished message. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Calls `onFrame` for every message that `chunk` completes, in order, without its length prefix.
   * @throws KafkaError when the stream is no Kafka stream (a TLS hello, an HTTP request) or a message is too large.
   *   Nothing may be pushed after it.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#hold(chunk);
      if (this.#heldBytes < this.#neededBytes) return;
      bytes = join(this.#chunks, this.#heldBytes);
      this.#chunks = [];
      this.#heldBytes = 0;
    }
    let at = 0;
    let needed = 4;
    while (bytes.length - at >= 4) {
      const size = this.#sizeAt(bytes, at);
      if (bytes.length - at - 4 < size) {
        needed = 4 + size;
        break;
      }
      onFrame(bytes.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    if (at === bytes.length) return;
    const rest = bytes.subarray(at);
    // A short rest would keep the whole chunk from being freed.
    this.#hold(rest.length * 2 < bytes.buffer.byteLength ? new Uint8Array(rest) : rest);
    this.#neededBytes = needed;
  }

  /** A client that trickles must cost us bytes, not objects: short chunks grow together, by halves at least. */
  #hold(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    let last = chunk;
    for (;;) {
      const before = this.#chunks.at(-1);
      if (before === undefined || before.length >= SMALL_CHUNK_BYTES || before.length > 2 * last.length)
        break;
      this.#chunks.pop();
      last = join([before, last], before.length + last.length);
    }
    this.#chunks.push(last);
  }

  #sizeAt(bytes: Uint8Array, at: number): number {
    const size =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
    if (size < 0 || size > this.#maxBytes) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `message length ${size} is not within 0..${this.#maxBytes}`,
      );
    }
    return size;
  }
}

function join(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const joined = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
