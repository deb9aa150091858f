import { concat } from '../model/bytes.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';

const LENGTH_BYTES = 4;

/** Held chunks shorter than this are joined with their neighbours. */
const SMALL_CHUNK_BYTES = 16 * 1024;

/** What has come of a message that is not all there: whoever reads in place may move it. */
export type Unfinished = Pick<FrameReader, 'heldBytes' | 'missingBytes' | 'moveTo'>;

/**
 * Cuts a byte stream into Kafka messages: an int32 length, then that many bytes. Memory is taken as bytes arrive,
 * never for what a length merely announces. A message that lies in one piece of memory is a view of it; another is
 * joined once.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #inPlace: boolean;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  /** Held bytes are not looked at again before there are this many. */
  #neededBytes = 0;

  /**
   * @param maxBytes largest message; longer (or negative) lengths are refused, whatever the bytes really were.
   * @param inPlace chunks follow each other in memory, in buffers of a bounded size that the host holds anyway: what
   *   is unfinished is then left where it lies.
   */
  constructor(maxBytes: number, inPlace = false) {
    this.#maxBytes = maxBytes;
    this.#inPlace = inPlace;
  }

  /** Bytes of an unfinished message. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What an unfinished message lacks, as far as its length is known. */
  get missingBytes(): number {
    return this.#heldBytes === 0 ? 0 : this.#neededBytes - this.#heldBytes;
  }

  /** What is held moves to the beginning of `into`, where what follows will lie behind it. */
  moveTo(into: Uint8Array): void {
    if (this.#heldBytes === 0) return;
    const held = into.subarray(0, this.#heldBytes);
    concat(this.#chunks, () => held);
    this.#chunks = [held];
  }

  /**
   * Calls `onFrame` for every message that `chunk` completes, in order, without its length prefix.
   * @throws KafkaError when the stream is no Kafka stream (a TLS hello, an HTTP request) or a message is too large.
   *   Nothing may be pushed after it.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let bytes = chunk;
    while (this.#heldBytes > 0) {
      const missing = Math.min(this.#neededBytes - this.#heldBytes, bytes.length);
      this.#hold(bytes.subarray(0, missing));
      bytes = bytes.subarray(missing);
      if (this.#heldBytes < this.#neededBytes) return;
      this.#finishHeld(onFrame);
    }
    let at = 0;
    let needed = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const size = this.#sizeAt(bytes, at);
      if (bytes.length - at - LENGTH_BYTES < size) {
        needed = LENGTH_BYTES + size;
        break;
      }
      onFrame(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + size));
      at += LENGTH_BYTES + size;
    }
    if (at === bytes.length) return;
    const rest = bytes.subarray(at);
    // A short rest would keep the whole chunk from being freed.
    const pins = !this.#inPlace && rest.length * 2 < bytes.buffer.byteLength;
    this.#hold(pins ? new Uint8Array(rest) : rest);
    this.#neededBytes = needed;
  }

  /** What was needed is held: the length, so now the message is, or a whole message. */
  #finishHeld(onFrame: (frame: Uint8Array) => void): void {
    const held = joined(this.#chunks, this.#heldBytes);
    const whole = LENGTH_BYTES + this.#sizeAt(held, 0);
    if (this.#neededBytes < whole) {
      this.#neededBytes = whole;
      return;
    }
    this.#chunks = [];
    this.#heldBytes = 0;
    onFrame(held.subarray(LENGTH_BYTES));
  }

  /** A client that trickles must cost us bytes, not objects: short chunks grow together, by halves at least. */
  #hold(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    let last = chunk;
    for (;;) {
      const before = this.#chunks.at(-1);
      if (before === undefined) break;
      const adjacent = isAdjacent(before, last);
      if (!adjacent && (before.length >= SMALL_CHUNK_BYTES || before.length > 2 * last.length)) break;
      this.#chunks.pop();
      last = joined([before, last], before.length + last.length);
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

function isAdjacent(before: Uint8Array, after: Uint8Array): boolean {
  return before.buffer === after.buffer && before.byteOffset + before.length === after.byteOffset;
}

/** All chunks as one: a view where they lie in one piece already, else a copy. */
function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [first] = chunks;
  if (first && chunks.every((chunk, i) => i === 0 || isAdjacent(chunks[i - 1] ?? chunk, chunk))) {
    return new Uint8Array(first.buffer, first.byteOffset, sizeBytes);
  }
  return concat(chunks);
}
