import { deepStrictEqual } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Admin,
  type Binding,
  binding,
  type Client,
  type Consumer,
  type Message,
  type Place,
  type Producer,
  type Seen,
  type Settings,
} from './binding.ts';

const SOON_MS = 60_000;
const LOOK_AGAIN_MS = 20;

export type Checks = Readonly<Record<string, (world: World) => Promise<string>>>;

/** Clients of one broker, ended with it, and names that nobody else uses. */
export class World implements AsyncDisposable {
  static #names = 0;
  readonly admin: Admin;
  readonly #library: Binding;
  readonly #kafka: InstanceType<Binding['Kafka']>;
  readonly #clients = new Set<Client>();

  private constructor(address: string) {
    this.#library = binding();
    this.#kafka = new this.#library.Kafka({
      kafkaJS: { brokers: [address], logLevel: 0 },
    });
    this.admin = this.#kafka.admin();
  }

  static async begin(address: string): Promise<World> {
    const world = new World(address);
    await world.#connected(world.admin);
    return world;
  }

  name(kind: string): string {
    return `${kind}-${++World.#names}`;
  }

  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic');
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] });
    // Brokers of Apache Kafka hear of it a moment later.
    await until(async () => (await this.admin.listTopics()).includes(topic));
    return topic;
  }

  producer(settings: Settings = {}): Promise<Producer> {
    return this.#connected(this.#kafka.producer(settings));
  }

  transactional(transactionalId: string): Promise<Producer> {
    return this.producer({ kafkaJS: { transactionalId } });
  }

  consumer(groupId: string, settings: Settings = {}): Promise<Consumer> {
    const { kafkaJS, ...others } = settings;
    const quick = { groupId, fromBeginning: true, maxWaitTimeInMs: 50, ...kafkaJS };
    return this.#connected(this.#kafka.consumer({ ...others, kafkaJS: quick }));
  }

  async disconnect(client: Client): Promise<void> {
    this.#clients.delete(client);
    await client.disconnect();
  }

  async write(topic: string, messages: Message[]): Promise<void> {
    const producer = await this.producer();
    await producer.send({ topic, messages });
    await this.disconnect(producer);
  }

  /** The first records of topics, as a group of its own reads what is committed of them. */
  async read(topics: string[], count: number): Promise<Seen[]> {
    const seen: Seen[] = [];
    const consumer = await this.consumer(this.name('reader'));
    await consumer.subscribe({ topics });
    await consumer.run({ eachMessage: async (one) => void seen.push(one) });
    await until(() => seen.length >= count);
    await this.disconnect(consumer);
    return seen;
  }

  async committed(groupId: string, topic: string): Promise<string[]> {
    const [found] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return (found?.partitions ?? []).map(({ offset }) => offset);
  }

  /** Ends with the error of this name. @returns it. */
  async refused(work: Promise<unknown>, ...names: string[]): Promise<string> {
    const codes = await work.then(
      (): number[] => [],
      (thrown: unknown) => codesOf(thrown),
    );
    const [found] = names.filter((name) => codes.includes(this.#library.ErrorCodes[name] ?? Number.NaN));
    if (found === undefined)
      throw new Error(`it ended with ${codes.join() || 'nothing'}, not with ${names.join(' or ')}`);
    return found.replace('ERR_', '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.disconnect()));
  }

  async #connected<C extends Client>(client: C): Promise<C> {
    await client.connect();
    this.#clients.add(client);
    return client;
  }
}

function codesOf(error: unknown): number[] {
  const {
    code,
    errors = [],
    groups = [],
    partitions = [],
  } = error as Record<
    'errors' | 'groups' | 'partitions',
    { code?: number; error?: unknown }[] | undefined
  > & { code?: number };
  const within = [...errors, ...[...groups, ...partitions].map((one) => one.error)];
  return [code, ...within.flatMap(codesOf)].filter((one) => one !== undefined);
}

export async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + SOON_MS;
  while (!(await met())) {
    if (performance.now() > endsAtMs) throw new Error(`not so after ${SOON_MS} ms: ${met.toString()}`);
    await pause(LOOK_AGAIN_MS);
  }
}

export function valuesOf(seen: readonly Seen[]): string[] {
  return seen.map(({ message }) => String(message.value));
}

export function at(topic: string, partition: number, offset: number): Place {
  return { topic, partition, offset: String(offset) };
}

export const same: (is: unknown, wanted: unknown) => void = deepStrictEqual;
