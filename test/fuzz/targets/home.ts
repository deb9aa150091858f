import { setImmediate as turn } from 'node:timers/promises';
import { type Core, openMetadata, startCore } from '../../../src/broker/core.ts';
import type { ClientSocket, Connection } from '../../../src/gateway/connection.ts';
import { nodeCodecs } from '../../../src/hosts/node/codecs.ts';
import { SeededRandom } from '../../../src/hosts/sim/random.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { LogStore } from '../../../src/ports/log-store.ts';
import type { Identity } from '../../../src/segments/data-directory.ts';
import { decodeResponse, encodeRequest } from '../../../src/wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../../src/wire/schema.ts';
import { wasm } from '../../kernels/instances.ts';
import { FuzzFault } from '../target.ts';

export const IDENTITY: Identity = { clusterId: 'fuzz', nodeId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
const SETTINGS = new Map([
  ['group.initial.rebalance.delay.ms', '0'],
  ['offsets.topic.num.partitions', '2'],
  ['group.min.session.timeout.ms', '1'],
]);
/** Turns of the event loop in which something in memory is surely answered. */
const TURNS_MAX = 10_000;

/** Time that passes when it is told to. */
class HandClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly #alarms = new Set<{ atMs: number; callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  at(atMs: number, callback: () => void): () => void {
    const alarm = { atMs, callback };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const alarm of this.#alarms) {
      if (alarm.atMs > this.#nowMs || !this.#alarms.delete(alarm)) continue;
      alarm.callback();
    }
  }
}

/** A client's end of a connection to the gateway. */
export class Client implements ClientSocket {
  readonly address = { host: '127.0.0.1', port: 9092 };
  readonly clientHost = '/127.0.0.1';
  readonly readsInPlace = false;
  readonly #connection: Connection;
  #received: Uint8Array[] = [];
  isClosed = false;

  constructor(core: Core) {
    this.#connection = core.gateway.connect(this);
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#connection.receive(bytes);
  }

  /** Nothing that it asked is still to be answered. */
  get isAnswered(): boolean {
    return this.isClosed || this.#connection.idle;
  }

  hangUp(): void {
    this.isClosed = true;
    this.#connection.ended();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#received.push(chunk.slice());
    return true;
  }

  pause(): void {}
  resume(): void {}

  close(): void {
    this.isClosed = true;
  }

  /** Asks and waits for the answer; nothing else may be on its way. */
  async ask<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<ResponseOf<A>> {
    this.#received = [];
    this.send(encodeRequest(api, version, { correlationId: 1, clientId: 'witness' }, body));
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      const bytes = Buffer.concat(this.#received);
      if (bytes.length >= 4 && bytes.length === 4 + bytes.readInt32BE(0))
        return decodeResponse(api, version, bytes.subarray(4)).body;
      if (this.isClosed) throw new FuzzFault(`${api.name} of another client closed its connection`);
      await turn();
    }
    throw new FuzzFault(`${api.name} of another client was never answered`);
  }
}

/** A whole broker without sockets, the same for the same store; time is told to pass. */
export class Home {
  readonly core: Core;
  /** What an operator was told. */
  readonly warnings: string[];
  readonly #clock: HandClock;
  readonly #store: LogStore;

  private constructor(core: Core, clock: HandClock, store: LogStore, warnings: string[]) {
    this.core = core;
    this.warnings = warnings;
    this.#clock = clock;
    this.#store = store;
  }

  static async open(store: LogStore, warnings: string[] = []): Promise<Home> {
    const clock = new HandClock();
    const core = startCore({
      store,
      identity: IDENTITY,
      kernels: wasm,
      codecs: nodeCodecs(wasm),
      clock,
      random: new SeededRandom(1),
      endpoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
      staticConfigs: SETTINGS,
      onWarning: (message) => warnings.push(message),
    });
    await openMetadata(core);
    return new Home(core, clock, store, warnings);
  }

  client(): Client {
    return new Client(this.core);
  }

  pass(ms: number): void {
    this.#clock.pass(ms);
  }

  async close(): Promise<void> {
    await this.core.shards.close();
    await this.#store.close();
  }
}
