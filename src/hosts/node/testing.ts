/** The entry `milena/testing`: a broker for tests, in the process of the test. */
import { inProcessTransport } from '../../broker/in-process.ts';
import { acceptPort } from '../../broker/message-port.ts';
import type { Client } from '../../client/client.ts';
import { type ConnectOptions, connectWith } from '../../client/connect.ts';
import type { PortLike } from '../../wire/port-pipe.ts';
import { Broker } from './broker.ts';
import { nodeSurroundings } from './connect.ts';
import { VirtualClock } from './virtual-clock.ts';
import { KAFKA_PATH } from './websocket.ts';

export type { VirtualClock } from './virtual-clock.ts';

export interface TestBrokerOptions {
  /** Time for the broker and for its own clients (`connect`), which then passes as the test says. */
  clock?: VirtualClock;
  /** Broker settings by Kafka's names, as in server.properties. */
  settings?: Readonly<Record<string, string>>;
}

export interface TestBroker extends AsyncDisposable {
  /** For any Kafka client: `kafka://127.0.0.1:40913`. */
  readonly url: string;
  /** For pages and Workers, of any origin: `ws://127.0.0.1:40914/kafka`. */
  readonly webSocketUrl: string;
  /** A client in the same process, without a socket; it is closed with the broker. */
  connect(options?: ConnectOptions): Promise<Client>;
  /** Makes of a MessagePort a connection; its other end is a client's (`messagePortTransport`). */
  accept(port: PortLike): void;
  /** Forgets everything; nothing of it stays. Idempotent. */
  close(): Promise<void>;
}

/** A test does not wait for members that may come, nor for fifty logs of positions; its records may be of any time. */
const SETTINGS = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.assignment.interval.ms': '0',
  'group.consumer.heartbeat.interval.ms': '100',
  'offsets.topic.num.partitions': '1',
  'log.retention.ms': '-1',
};

/** Starts a broker in memory, on free ports of 127.0.0.1. */
export async function startBroker({ clock, settings }: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = await Broker.start({
    httpPort: 0,
    allowedOrigins: ['*'],
    settings: new Map(Object.entries({ ...SETTINGS, ...settings })),
    // A test looks at the spans of what it tests.
    tracing: false,
    ...(clock && { clock }),
  });
  return new RunningTestBroker(broker, clock);
}

/** Time that stands still until `clock.advance(byMs)`. @param startMs milliseconds since 1970; now, unless given. */
export function virtualClock({ startMs = Date.now() }: { startMs?: number } = {}): VirtualClock {
  return new VirtualClock(startMs);
}

class RunningTestBroker implements TestBroker {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly #broker: Broker;
  readonly #clock: VirtualClock | undefined;
  readonly #clients = new Set<Client>();

  constructor(broker: Broker, clock: VirtualClock | undefined) {
    const { kafka, http } = broker;
    this.#broker = broker;
    this.#clock = clock;
    this.url = `kafka://${kafka.host}:${kafka.port}`;
    this.webSocketUrl = `ws://${http?.host}:${http?.port}${KAFKA_PATH}`;
  }

  async connect(options?: ConnectOptions): Promise<Client> {
    const { gateway, kafka } = this.#broker;
    const home = { ...(await nodeSurroundings()), ...(this.#clock && { clock: this.#clock }) };
    const client = await connectWith(home, inProcessTransport(gateway, kafka), options);
    this.#clients.add(client);
    return client;
  }

  accept(port: PortLike): void {
    acceptPort(this.#broker.gateway, port, this.#broker.kafka);
  }

  async close(): Promise<void> {
    // In virtual time nothing comes that is waited for.
    const patience = this.#clock === undefined ? {} : { timeoutMs: 0 };
    await Promise.allSettled(Array.from(this.#clients, (client) => client.close(patience)));
    await this.#broker.close(patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
