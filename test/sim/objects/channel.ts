import type { SeededRandom } from '../../../src/hosts/sim/random.ts';
import type { Scheduler } from '../../../src/hosts/sim/scheduler.ts';
import type { ObjectSocket } from '../../../src/hosts/durable-object/links.ts';

const DELAY_MS: [least: number, most: number] = [0.2, 4];

/** One way between two places: what is sent arrives later, in order. */
export class Channel {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  #freeAtMs = 0;
  isCut = false;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  send(what: string, arrive: () => void): void {
    this.#freeAtMs = Math.max(
      this.#freeAtMs + 0.001,
      this.#scheduler.nowMs + this.#random.between(...DELAY_MS),
    );
    this.#scheduler.schedule(this.#freeAtMs, what, () => {
      if (!this.isCut) arrive();
    });
  }
}

/** An object's end of a WebSocket: what lies in it outlives the instance. */
export class ServerSocket implements ObjectSocket {
  attachment: unknown = null;
  isClosed = false;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #close: () => void;

  constructor(send: (bytes: Uint8Array) => void, close: () => void) {
    this.#send = send;
    this.#close = close;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.isClosed) this.#send(bytes.slice());
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#close();
  }

  serializeAttachment(attachment: unknown): void {
    this.attachment = structuredClone(attachment);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.attachment);
  }
}
