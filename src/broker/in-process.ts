import type { ClientSocket, Connection } from '../gateway/connection.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../ports/transport.ts';

/** Bytes under way beyond which whoever sends is told to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * The way to a broker in this process, without a socket. What is sent arrives in a turn of its own, so that neither
 * side is called from within a call it makes.
 * @param address what Metadata says the broker's address is.
 */
export function inProcessTransport(
  gateway: Pick<Gateway, 'connect' | 'clock'>,
  address: BrokerAddress,
): Transport {
  return {
    async open(_address, events, signal) {
      signal?.throwIfAborted();
      return new Pipe(gateway, address, events).client;
    },
  };
}

/** One direction: chunks in order, each later than its sending. */
class Flow {
  readonly #clock: Clock;
  readonly #deliver: (chunk: Uint8Array) => void;
  readonly #drained: () => void;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isScheduled = false;
  #isPaused = false;
  #isFull = false;
  #onEmpty: (() => void) | undefined;

  constructor(clock: Clock, deliver: (chunk: Uint8Array) => void, drained: () => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#drained = drained;
  }

  /** @returns whether there is room for more. */
  send(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#schedule();
    if (this.#waitingBytes >= HIGH_WATER_BYTES) this.#isFull = true;
    return !this.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  /** Calls back once all has arrived. */
  whenEmpty(callback: () => void): void {
    this.#onEmpty = callback;
    this.#schedule();
  }

  /** What has not arrived does not. */
  stop(): void {
    this.#chunks = [];
    this.#isPaused = true;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isPaused) return;
    this.#isScheduled = true;
    this.#clock.at(this.#clock.now(), () => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    while (!this.#isPaused && this.#chunks.length > 0) {
      const chunk = this.#chunks.shift() as Uint8Array;
      this.#waitingBytes -= chunk.length;
      this.#deliver(chunk);
    }
    if (this.#chunks.length > 0) return;
    if (this.#isFull) {
      this.#isFull = false;
      this.#drained();
    }
    this.#onEmpty?.();
  }
}

/** Both ends of a connection. */
class Pipe implements ClientSocket {
  readonly address: BrokerAddress;
  readonly clientHost = '/in-process';
  readonly readsInPlace = false;
  readonly client: ByteStream;
  readonly #events: StreamEvents;
  readonly #connection: Connection;
  readonly #toBroker: Flow;
  readonly #toClient: Flow;
  #isOver = false;

  constructor(gateway: Pick<Gateway, 'connect' | 'clock'>, address: BrokerAddress, events: StreamEvents) {
    this.address = address;
    this.#events = events;
    const { clock } = gateway;
    this.#toBroker = new Flow(
      clock,
      (chunk) => this.#connection.receive(chunk),
      () => events.drained(),
    );
    this.#toClient = new Flow(
      clock,
      (chunk) => events.received(chunk),
      () => this.#connection.drained(),
    );
    this.#connection = gateway.connect(this);
    this.client = {
      write: (bytes) => this.#isOver || this.#toBroker.send(bytes),
      close: () => this.#end('closed here'),
    };
  }

  /** Chunks may be views of memory the broker keeps: nobody changes either. */
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isOver) return true;
    let hasRoom = true;
    for (const chunk of chunks) hasRoom = this.#toClient.send(chunk);
    return hasRoom;
  }

  pause(): void {
    this.#toBroker.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#toBroker.resume();
  }

  close(reason: string): void {
    this.#toBroker.stop();
    this.#toClient.whenEmpty(() => this.#end(`the broker closed the connection: ${reason}`));
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#toBroker.stop();
    this.#toClient.stop();
    this.#connection.ended();
    this.#events.closed(why);
  }
}
