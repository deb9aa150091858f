import { FrameReader } from '../wire/frame-reader.ts';

const FIRST_BYTES = 64 * 1024;
/** Memory is taken at once for a message that announces up to so much; beyond it grows with what comes. */
const ANNOUNCED_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Memory that a transport reads into, so that each message lies in one piece without a copy: made for the message that
 * comes, and never used again, since answers are views of it.
 */
export class ReceiveSpace {
  readonly #frames: FrameReader;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The size of the last message: the next is expected to be as large. */
  #expectedBytes = 0;

  constructor(messageMaxBytes: number) {
    this.#frames = new FrameReader(messageMaxBytes, true);
  }

  /** Where the next bytes go. */
  space(): Uint8Array {
    const { missingBytes, heldBytes } = this.#frames;
    const freeBytes = this.#bytes.length - this.#at;
    const wantedBytes = missingBytes > 0 ? missingBytes : Math.min(this.#expectedBytes, FIRST_BYTES);
    if (freeBytes === 0 || freeBytes < wantedBytes) this.#renew(heldBytes, missingBytes);
    return this.#bytes.subarray(this.#at);
  }

  /** So many bytes lie at its beginning. @throws KafkaError when they are no messages of Kafka. */
  filled(sizeBytes: number, onFrame: (frame: Uint8Array) => void): void {
    const chunk = this.#bytes.subarray(this.#at, this.#at + sizeBytes);
    this.#at += sizeBytes;
    this.#frames.push(chunk, (frame) => {
      this.#expectedBytes = frame.length;
      onFrame(frame);
    });
  }

  #renew(heldBytes: number, missingBytes: number): void {
    const announcedBytes = Math.max(heldBytes, Math.min(heldBytes + missingBytes, ANNOUNCED_MAX_BYTES));
    const room = missingBytes > 0 ? 0 : Math.min(this.#expectedBytes, ANNOUNCED_MAX_BYTES);
    this.#bytes = new Uint8Array(Math.max(announcedBytes, room) + FIRST_BYTES);
    this.#frames.moveTo(this.#bytes);
    this.#at = heldBytes;
  }
}
