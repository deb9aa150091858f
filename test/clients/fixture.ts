import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { Broker, type BrokerOptions } from '../../src/hosts/node/broker.ts';

export type Home = 'memory' | 'files';
export const HOMES: readonly Home[] = ['memory', 'files'];

/** How clients come to the broker. */
export type Door = 'tcp' | 'websocket';
/** Every home, and every door once. */
export const PLACES: readonly { home: Home; door: Door }[] = [
  { home: 'memory', door: 'tcp' },
  { home: 'files', door: 'tcp' },
  { home: 'memory', door: 'websocket' },
];

/** What real groups would take seconds for. */
const QUICK_GROUPS = [
  ['group.initial.rebalance.delay.ms', '0'],
  ['group.consumer.assignment.interval.ms', '0'],
  ['group.consumer.heartbeat.interval.ms', '100'],
  ['group.min.session.timeout.ms', '100'],
  ['offsets.topic.num.partitions', '4'],
] as const;

/** Why the broker may close a client's connection in these tests: what they send is right. */
const CLOSES_ALLOWED = new Set(['shutdown', 'idle']);

/** What it warns of on a busy machine: it says how fast the disk is, not what is on it. */
export function isAboutSpeed(warning: string): boolean {
  return warning.startsWith('slow commit');
}

/** Where clients find a broker, ours or another, and names that nobody else uses there. */
export interface Place {
  readonly door: Door;
  readonly port: number;
  readonly address: string;
  /** Its TCP door. */
  readonly kafka: { readonly host: string; readonly port: number };
  readonly isRunning: boolean;
  name(kind: string): string;
}

/** A broker that real clients reach over real sockets. It can be started again on what it left. */
export class ClientBroker implements Place {
  readonly home: Home;
  readonly door: Door;
  readonly #settings: ReadonlyMap<string, string>;
  readonly #warnings: string[] = [];
  readonly #directories: string[] = [];
  #directory: string | undefined;
  #broker: Broker | undefined;
  #names = 0;

  constructor(home: Home, settings: Readonly<Record<string, string>> = {}, door: Door = 'tcp') {
    this.home = home;
    this.door = door;
    this.#settings = new Map([...QUICK_GROUPS, ...Object.entries(settings)]);
  }

  async start(): Promise<void> {
    if (this.home === 'files') this.#directory ??= await this.newDirectory();
    const options: BrokerOptions = {
      directory: this.#directory,
      httpPort: this.door === 'websocket' ? 0 : undefined,
      settings: this.#settings,
      log: {
        info: () => {},
        warn: (message) => this.#warned(message),
        error: (message) => this.#warned(message),
      },
    };
    this.#broker = await Broker.start(options);
  }

  #warned(message: string): void {
    if (!isAboutSpeed(message)) this.#warnings.push(message);
  }

  /** @throws when it warned of something or closed a client's connection for what the client sent. */
  async stop(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    await broker?.close();
    const closes = [...(broker?.gateway.counters.closedByReason.keys() ?? [])];
    const complaints = [...closes.filter((reason) => !CLOSES_ALLOWED.has(reason)), ...this.#warnings];
    if (complaints.length > 0) throw new Error(`the broker complained: ${complaints.join(', ')}`);
  }

  /** The directory it starts on next. */
  startsOn(directory: string): void {
    this.#directory = directory;
  }

  get directory(): string {
    if (this.#directory === undefined) throw new Error('it keeps everything in memory');
    return this.#directory;
  }

  /** An empty one that is removed with the broker. */
  async newDirectory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'milena-clients-'));
    this.#directories.push(directory);
    return directory;
  }

  async removeDirectories(): Promise<void> {
    for (const directory of this.#directories) await rm(directory, { recursive: true });
  }

  get broker(): Broker {
    if (this.#broker === undefined) throw new Error('the broker is not running');
    return this.#broker;
  }

  get isRunning(): boolean {
    return this.#broker !== undefined;
  }

  /** Of the door its clients come through. */
  get port(): number {
    const { kafka, http } = this.broker;
    return this.door === 'websocket' && http !== undefined ? http.port : kafka.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get kafka(): Place['kafka'] {
    return this.broker.kafka;
  }

  /** Clients never say it all: the id of a topic, from the broker itself. */
  topicId(topic: string): string | undefined {
    return this.broker.image.topic(topic)?.id;
  }

  /** How many requests of an API it has begun to answer. */
  requests(apiKey: number): number {
    return this.broker.gateway.counters.requestsByApi.get(apiKey) ?? 0;
  }

  /** A name nobody else uses. */
  name(kind: string): string {
    return `${kind}-${++this.#names}`;
  }
}

/** A broker for all tests of the block it is called in. */
export function useBroker(
  home: Home = 'memory',
  settings: Readonly<Record<string, string>> = {},
  door: Door = 'tcp',
) {
  const broker = new ClientBroker(home, settings, door);
  beforeAll(() => broker.start());
  afterAll(async () => {
    await broker.stop();
    await broker.removeDirectories();
  });
  return broker;
}

/** A broker for one test. First made, last ended: it outlives its clients, who would wait for it to come back. */
export async function brokerForTest(home: Home): Promise<ClientBroker> {
  const broker = new ClientBroker(home);
  await broker.start();
  onTestFinished(async () => {
    await broker.stop();
    await broker.removeDirectories();
  });
  return broker;
}

/** Wakes whoever waits for a condition when something happened that may have met it. */
export class Changes {
  #waiting: { met: () => boolean; resolve: () => void }[] = [];

  changed(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ met }) => !met());
    for (const { met, resolve } of waiting) if (met()) resolve();
  }

  /** Resolves as soon as the condition holds; the test's own timeout is the only one. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }
}

/** For what tells nobody when it changes: looks again whenever the event loop has gone round. */
export async function eventually(met: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await met())) await new Promise((resolve) => setImmediate(resolve));
}

/** A record as a test writes and compares it, whoever read it. */
export interface PlainRecord {
  partition: number;
  offset: number;
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
}

export function text(bytes: Uint8Array | string | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes as Uint8Array).toString();
}

/** The values of records, in an order of their own. */
export function sortedValues(records: readonly { value: string | null }[]): (string | null)[] {
  return records.map(({ value }) => value).toSorted((a, b) => String(a).localeCompare(String(b)));
}

/** Ends a broker and starts it again on what a clean stop leaves, or on what a kill at this moment would. */
export const RESTARTS: readonly [string, (broker: ClientBroker) => Promise<void>][] = [
  [
    'a clean stop',
    async (broker) => {
      await broker.stop();
      await broker.start();
    },
  ],
  [
    'a sudden end',
    async (broker) => {
      const left = await broker.newDirectory();
      await cp(broker.directory, left, { recursive: true });
      await broker.stop();
      broker.startsOn(left);
      await broker.start();
    },
  ],
];
