/**
 * A byte stream over a MessagePort, alike at both ends. A message is bytes, or a number: so many bytes were taken since
 * the last one, which is the only way to know that the other end reads; or a text: goodbye, and why.
 */
import { concat } from '../model/bytes.ts';

/** As much of a MessagePort as is used: that of pages, Workers and Node. */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message' | 'close' | 'messageerror', listener: (event: object) => void): void;
  start(): void;
  close(): void;
}

export interface PipeEvents {
  /** Memory of its own. */
  received(chunk: Uint8Array): void;
  /** `send` has said false, and now there is room. */
  drained(): void;
  /** Once, whoever ended it; nothing is told after it. */
  closed(why: string): void;
}

/** Bytes that were sent and not taken, beyond which there is no room. */
const HIGH_WATER_BYTES = 1024 * 1024;

export class PortPipe {
  readonly #port: PortLike;
  readonly #events: PipeEvents;
  /** Sent, and not known to be taken. */
  #sentBytes = 0;
  #isFull = false;
  #isPaused = false;
  #isOver = false;
  /** Come while paused. */
  #held: Uint8Array[] = [];

  constructor(port: PortLike, events: PipeEvents) {
    this.#port = port;
    this.#events = events;
    port.addEventListener('message', (event) => this.#receive((event as { data: unknown }).data));
    port.addEventListener('messageerror', () => this.close('a message could not be read'));
    port.addEventListener('close', () => this.#end('the other end has gone'));
    port.start();
  }

  /** Copies them once; one message however many chunks. @returns whether there is room for more. */
  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#isOver) return true;
    const bytes = concat(chunks);
    this.#sentBytes += bytes.length;
    this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
    if (this.#sentBytes >= HIGH_WATER_BYTES) this.#isFull = true;
    return !this.#isFull;
  }

  /** Tells of no bytes until `resume`; the other end is told no more that there is room. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && !this.#isOver && this.#held.length > 0)
      this.#take(this.#held.shift() as Uint8Array);
  }

  /** What was sent before arrives. Idempotent. */
  close(why: string): void {
    if (this.#isOver) return;
    this.#port.postMessage(why, []);
    this.#port.close();
    this.#end('closed here');
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    if (data instanceof Uint8Array) {
      if (this.#isPaused || this.#held.length > 0) this.#held.push(data);
      else this.#take(data);
    } else if (typeof data === 'number') {
      this.#taken(data);
    } else {
      this.#port.close();
      this.#end(typeof data === 'string' ? data : 'what it sends is no byte stream');
    }
  }

  #take(bytes: Uint8Array): void {
    this.#port.postMessage(bytes.length, []);
    this.#events.received(bytes);
  }

  #taken(bytes: number): void {
    this.#sentBytes -= bytes;
    if (!this.#isFull || this.#sentBytes >= HIGH_WATER_BYTES / 2) return;
    this.#isFull = false;
    this.#events.drained();
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = [];
    this.#events.closed(why);
  }
}
