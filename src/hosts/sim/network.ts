import type { ClientSocket, Connection } from '../../gateway/connection.ts';
import type { Millis } from '../../model/ids.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** What the client's end hears. */
export interface LinkListener {
  data(chunk: Uint8Array): void;
  closed(): void;
}

const DELAY_MS: [least: Millis, most: Millis] = [0.1, 1.5];
/** Bytes under way to a client that does not read: then its requests are not read either. */
const WRITE_HIGH_WATER_BYTES = 16 * 1024;
/** How often what is sent arrives in two pieces. */
const SPLIT_RATIO = 0.05;

/** The server's end of a new connection: a gateway is one. */
export interface Served {
  connect(socket: ClientSocket): Pick<Connection, 'receive' | 'drained' | 'ended'>;
}

export interface LinkParts {
  scheduler: Scheduler;
  random: SeededRandom;
}

/** One direction of a connection: bytes arrive whole, in order, later. */
class Direction {
  readonly #parts: LinkParts;
  readonly #deliver: (chunk: Uint8Array) => void;
  #freeAtMs = 0;
  /** Times as slow. */
  slowness = 1;
  /** What is sent is lost, and the sender not told. */
  isLost = false;
  bytesUnderWay = 0;

  constructor(parts: LinkParts, deliver: (chunk: Uint8Array) => void) {
    this.#parts = parts;
    this.#deliver = deliver;
  }

  send(bytes: Uint8Array): void {
    const { random } = this.#parts;
    if (bytes.length > 1 && random.chance(SPLIT_RATIO)) {
      const at = 1 + random.int(bytes.length - 1);
      this.#carry(bytes.slice(0, at));
      this.#carry(bytes.slice(at));
    } else {
      this.#carry(bytes.slice());
    }
  }

  #carry(chunk: Uint8Array): void {
    const { scheduler, random } = this.#parts;
    const arrivesAtMs = scheduler.nowMs + random.between(...DELAY_MS) * this.slowness;
    this.#freeAtMs = Math.max(this.#freeAtMs + 0.001, arrivesAtMs);
    this.bytesUnderWay += chunk.length;
    scheduler.schedule(this.#freeAtMs, 'bytes', () => {
      this.bytesUnderWay -= chunk.length;
      if (!this.isLost) this.#deliver(chunk);
    });
  }
}

/** A TCP connection between a client and the node that ran when it was made. */
export class Link implements ClientSocket {
  readonly address = { host: '127.0.0.1', port: 9092 };
  readonly clientHost = '/127.0.0.1';
  readonly readsInPlace = false;
  readonly #parts: LinkParts;
  readonly #listener: LinkListener;
  readonly #connection: ReturnType<Served['connect']>;
  readonly #toServer: Direction;
  readonly #toClient: Direction;
  #held: Uint8Array[] = [];
  #isPaused = false;
  #isFull = false;
  #serverGone = false;
  #clientGone = false;

  constructor(parts: LinkParts, gateway: Served, listener: LinkListener) {
    this.#parts = parts;
    this.#listener = listener;
    this.#connection = gateway.connect(this);
    this.#toServer = new Direction(parts, (chunk) => this.#arrived(chunk));
    this.#toClient = new Direction(parts, (chunk) => this.#read(chunk));
  }

  /** @param slowness times as slow as usual, both ways. */
  slow(slowness: number): void {
    this.#toServer.slowness = slowness;
    this.#toClient.slowness = slowness;
  }

  /** Client's end. */
  send(bytes: Uint8Array): void {
    this.#toServer.send(bytes);
  }

  /** The client leaves; what it sent before may arrive. */
  leave(): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#toClient.isLost = true;
    this.#parts.scheduler.after(this.#parts.random.between(...DELAY_MS), 'end', () => this.#endServer());
  }

  /** Both ends hear at once that it is over; what was under way is lost. */
  cut(): void {
    this.#toServer.isLost = true;
    this.#toClient.isLost = true;
    this.#endServer();
    this.#endClient();
  }

  /** The client hears that it is over, the server does not. */
  halfOpen(): void {
    this.#toServer.isLost = true;
    this.#toClient.isLost = true;
    this.#endClient();
  }

  /** The server's machine is gone: nobody hears of anything. */
  vanish(): void {
    this.#serverGone = true;
    this.#toServer.isLost = true;
    this.#toClient.isLost = true;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#serverGone) return true;
    for (const chunk of chunks) this.#toClient.send(chunk);
    this.#isFull = this.#toClient.bytesUnderWay >= WRITE_HIGH_WATER_BYTES;
    return !this.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) this.#arrived(chunk);
  }

  /** Server's end: what was written still arrives. */
  close(): void {
    if (this.#serverGone) return;
    this.#serverGone = true;
    this.#parts.scheduler.after(DELAY_MS[1] * 2, 'closed', () => this.#endClient());
  }

  #arrived(chunk: Uint8Array): void {
    if (this.#serverGone) return;
    if (this.#isPaused) this.#held.push(chunk);
    else this.#connection.receive(chunk);
  }

  #read(chunk: Uint8Array): void {
    if (!this.#clientGone) this.#listener.data(chunk);
    if (!this.#isFull || this.#toClient.bytesUnderWay >= WRITE_HIGH_WATER_BYTES / 2) return;
    this.#isFull = false;
    if (!this.#serverGone) this.#connection.drained();
  }

  #endServer(): void {
    if (this.#serverGone) return;
    this.#serverGone = true;
    this.#connection.ended();
  }

  #endClient(): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#listener.closed();
  }
}
