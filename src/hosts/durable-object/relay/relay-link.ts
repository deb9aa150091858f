import { decodeFrames, encodeFrame } from '../frames.ts';
import type { LinkSocket, OpenLink } from '../remote-shards.ts';
import type { FromRelay, ToRelay } from './frames.ts';

interface RelayEvents {
  received(frame: FromRelay): void;
  /** Once, whoever ended it but us. */
  closed(): void;
}

/** A gateway's WebSocket to a relay, open or opening. */
export class RelayLink {
  readonly #events: RelayEvents;
  #socket: LinkSocket | undefined;
  /** Until it is open. */
  #waiting: ToRelay[] = [];
  #isOver = false;

  constructor(open: OpenLink, relay: string, events: RelayEvents) {
    this.#events = events;
    const link = { received: (bytes: Uint8Array) => this.#receive(bytes), closed: () => this.#end() };
    open(relay, { print: '', from: 0, placement: {} }, link).then(
      (socket) => this.#opened(socket),
      () => this.#end(),
    );
  }

  send(frame: ToRelay): void {
    if (this.#isOver) return;
    if (this.#socket === undefined) this.#waiting.push(frame);
    else this.#socket.send(encodeFrame(frame));
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.close();
  }

  #opened(socket: LinkSocket): void {
    if (this.#isOver) return socket.close();
    this.#socket = socket;
    for (const frame of this.#waiting) socket.send(encodeFrame(frame));
    this.#waiting = [];
  }

  #receive(message: Uint8Array): void {
    for (const { frame } of decodeFrames<FromRelay>(message)) {
      if (this.#isOver) return;
      this.#events.received(frame);
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed();
  }
}
