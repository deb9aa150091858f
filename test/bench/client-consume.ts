import { Consumer as PlatformaticConsumer } from '@platformatic/kafka';
import { Kafka, logLevel, type Consumer as KafkaJsConsumer } from 'kafkajs';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { compareClients } from './client-peers.ts';
import { binding, rdConsumer } from './librdkafka/client.ts';

/**
 * Records a second of a topic of one partition, each value read, by client: each the way it reads many records, the
 * same broker in a process of its own, in turns. From the first record to the last: how long it takes to begin is
 * another matter.
 */
const ROUNDS = 11;
const SIZES = [
  { bytes: 100, records: 400_000 },
  { bytes: 1_000, records: 100_000 },
];

/** Counts records and their bytes, and takes the time from the first to the last of `records`. */
class Tally {
  readonly #records: number;
  readonly #bytes: number;
  #seen = 0;
  #seenBytes = 0;
  #firstAtMs = 0;

  constructor({ bytes, records }: (typeof SIZES)[number]) {
    this.#records = records;
    this.#bytes = bytes * records;
  }

  /** @returns whether it was the last. */
  add(value: Uint8Array | null): boolean {
    if (this.#seen === 0) this.#firstAtMs = performance.now();
    this.#seenBytes += value?.length ?? 0;
    return ++this.#seen === this.#records;
  }

  /** Records a second. */
  rate(): number {
    const seconds = (performance.now() - this.#firstAtMs) / 1000;
    if (this.#seenBytes !== this.#bytes) throw new Error(`${this.#seenBytes} bytes came, not ${this.#bytes}`);
    return this.#records / seconds;
  }
}

type Consume = (topic: string, tally: Tally) => Promise<void>;

/** One of kafkajs's consumers reads one topic, again and again from its beginning. */
class KafkaJsReader {
  readonly #consumer: KafkaJsConsumer;
  #tally: Tally | undefined;
  #over: (() => void) | undefined;

  constructor(brokers: string[], groupId: string) {
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    this.#consumer = kafka.consumer({ groupId, maxBytes: 4 * 1024 * 1024 });
  }

  async start(topic: string): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) if (this.#tally?.add(value) === true) this.#over?.();
      },
    });
  }

  async read(topic: string, tally: Tally): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.#tally = tally;
    this.#over = over.resolve;
    this.#consumer.seek({ topic, partition: 0, offset: '0' });
    await over.promise;
    this.#tally = undefined;
  }

  close(): Promise<void> {
    return this.#consumer.disconnect();
  }
}

async function platformatic(consumer: PlatformaticConsumer, topic: string, tally: Tally): Promise<void> {
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'manual',
    offsets: [{ topic, partition: 0, offset: 0n }],
    autocommit: false,
    maxBytes: 4 * 1024 * 1024,
  });
  for await (const { value } of stream) if (tally.add(value)) break;
  await stream.close();
}

async function compare(
  clients: Readonly<Record<string, Consume>>,
  topic: string,
  size: (typeof SIZES)[number],
) {
  const rateOf = async (consume: Consume) => {
    const tally = new Tally(size);
    await consume(topic, tally);
    return tally.rate();
  };
  await compareClients({
    bench: `client-consume ${size.bytes} B`,
    records: size.records,
    rounds: ROUNDS,
    clients: Object.fromEntries(
      Object.entries(clients).map(([name, consume]) => [name, () => rateOf(consume)]),
    ),
  });
}

async function fill(
  client: Client,
  topic: string,
  { bytes, records }: (typeof SIZES)[number],
): Promise<void> {
  const producer = client.producer();
  for (let number = 0; number < records; number++)
    await producer.write(topic, { value: `${number}`.padEnd(bytes, '.') });
  await producer.close();
}

export async function run(): Promise<void> {
  const broker = await BrokerProcess.start(['--memory']);
  const brokers = [broker.address];
  const client = await connect(`kafka://${broker.address}`);
  try {
    for (const size of SIZES) {
      const topic = `client-consume-${size.bytes}`;
      await fill(client, topic, size);
      const kafkaJs = new KafkaJsReader(brokers, topic);
      await kafkaJs.start(topic);
      const other = new PlatformaticConsumer({
        clientId: 'bench',
        groupId: `${topic}-2`,
        bootstrapBrokers: brokers,
      });
      const clients: Record<string, Consume> = {
        milena: async (name, tally) => {
          for await (const { value } of client.read(name)) if (tally.add(value)) break;
        },
        'milena by batches': async (name, tally) => {
          for await (const batch of client.read(name).batches()) {
            for (const { value } of batch) if (tally.add(value)) return;
          }
        },
        kafkajs: (name, tally) => kafkaJs.read(name, tally),
        '@platformatic/kafka': (name, tally) => platformatic(other, name, tally),
      };
      const native = binding();
      const librdkafka = native && (await rdConsumer(native, broker.address));
      if (librdkafka !== undefined)
        clients['librdkafka'] = (name, tally) => librdkafka.read(name, (value) => tally.add(value));
      await compare(clients, topic, size);
      await librdkafka?.close();
      await kafkaJs.close();
      await other.close(true);
    }
  } finally {
    await client.close();
    broker.child.kill();
  }
}
