import { concat } from '../../model/bytes.ts';

/** Beyond this, what waits is sent at once: joining it saves nothing any more. */
const JOINED_MAX_BYTES = 256 * 1024;

/**
 * Frames that are sent in one turn go as one message: each message is an event at its other end, and is billed. What a
 * flush acknowledges, and what lay in one read of a client's stream, comes in one turn.
 */
export class Outbox {
  readonly #send: (message: Uint8Array<ArrayBuffer>) => void;
  readonly #joins: boolean;
  #chunks: Uint8Array[] = [];
  #sizeBytes = 0;

  /** @param joins whether there is more than one frame in a message. */
  constructor(send: (message: Uint8Array<ArrayBuffer>) => void, joins = true) {
    this.#send = send;
    this.#joins = joins;
  }

  /** @param chunks of one frame. Several are joined before this turn ends. */
  add(chunks: readonly Uint8Array[]): void {
    if (this.#chunks.length === 0) queueMicrotask(() => this.flush());
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#sizeBytes += chunk.length;
    }
    if (!this.#joins || this.#sizeBytes >= JOINED_MAX_BYTES) this.flush();
  }

  flush(): void {
    if (this.#chunks.length === 0) return;
    const [first] = this.#chunks;
    const message = (this.#chunks.length === 1 ? first : concat(this.#chunks)) as Uint8Array<ArrayBuffer>;
    this.clear();
    this.#send(message);
  }

  /** What waits is not sent. */
  clear(): void {
    this.#chunks = [];
    this.#sizeBytes = 0;
  }
}
