import { FrameReader } from '../wire/frame-reader.ts';

const FIRST_BYTES = 64 * 1024;
/** Memory is taken at once for a message that announces up to so much; beyond it grows with what comes. */
const ANNOUNCED_MAX_BYTES = 16 * 1024 * 1024;
const SPARE_MAX = 2;

/**
 * Memory that a transport reads into, so that each message lies in one piece without a copy: made for the message that
 * comes. Messages are views of it; it is used again only when each message in it was given back.
 */
export class ReceiveSpace {
  readonly #frames: FrameReader;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The size of the last message: the next is expected to be as large. */
  #expectedBytes = 0;
  /** Messages that somebody may look at, by the memory they lie in. */
  readonly #used = new WeakMap<ArrayBufferLike, number>();
  readonly #spare: Uint8Array[] = [];

  constructor(messageMaxBytes: number) {
    this.#frames = new FrameReader(messageMaxBytes, true);
  }

  /** Where the next bytes go. */
  space(): Uint8Array {
    const { missingBytes } = this.#frames;
    const freeBytes = this.#bytes.length - this.#at;
    const wantedBytes = missingBytes > 0 ? missingBytes : Math.min(this.#expectedBytes, FIRST_BYTES);
    if (freeBytes === 0 || freeBytes < wantedBytes) this.#renew();
    return this.#bytes.subarray(this.#at);
  }

  /** So many bytes lie at its beginning. @throws KafkaError when they are no messages of Kafka. */
  filled(sizeBytes: number, onFrame: (frame: Uint8Array) => void): void {
    const chunk = this.#bytes.subarray(this.#at, this.#at + sizeBytes);
    this.#at += sizeBytes;
    this.#frames.push(chunk, (frame) => {
      this.#expectedBytes = frame.length;
      this.#used.set(frame.buffer, (this.#used.get(frame.buffer) ?? 0) + 1);
      onFrame(frame);
    });
  }

  /** Nobody looks at one message any more that lies there: once a message. */
  giveBack(buffer: ArrayBufferLike): void {
    const used = this.#used.get(buffer);
    if (used === undefined) return;
    this.#used.set(buffer, used - 1);
    if (used === 1 && buffer !== this.#bytes.buffer) this.#keep(new Uint8Array(buffer));
  }

  #renew(): void {
    const { missingBytes, heldBytes } = this.#frames;
    const announcedBytes = Math.max(heldBytes, Math.min(heldBytes + missingBytes, ANNOUNCED_MAX_BYTES));
    const room = missingBytes > 0 ? 0 : Math.min(this.#expectedBytes, ANNOUNCED_MAX_BYTES);
    const before = this.#bytes;
    this.#bytes = this.#take(Math.max(announcedBytes, room) + FIRST_BYTES);
    this.#frames.moveTo(this.#bytes);
    this.#at = heldBytes;
    if (this.#used.get(before.buffer) === 0) this.#keep(before);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(bytes);
  }

  #take(sizeBytes: number): Uint8Array {
    const spare = this.#spare.pop();
    // One of another size would not fit the next time either.
    return spare !== undefined && spare.length >= sizeBytes ? spare : new Uint8Array(sizeBytes);
  }
}
