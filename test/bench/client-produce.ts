import { Kafka, logLevel, type Producer as KafkaJsProducer } from 'kafkajs';
import { Producer as PlatformaticProducer } from '@platformatic/kafka';
import type { Client } from '../../src/client/client.ts';
import type { Producer } from '../../src/client/producer/producer.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { compareClients } from './client-peers.ts';
import { binding, type RdProducer, rdProducer } from './librdkafka/client.ts';

/**
 * Records a second from an array into a topic of one partition and acknowledged by `all`, by client: each with what it
 * has for many records, the same broker in a process of its own, in turns.
 */
const ROUNDS = 15;
const SIZES = [
  { bytes: 100, records: 20_000 },
  { bytes: 1_000, records: 5_000 },
];
/** What the others are given at once: they have no batches of their own. */
const CHUNK_RECORDS = 500;
const TOPIC = 'client-produce';

type Send = (values: readonly string[]) => Promise<void>;

async function milena(producer: Producer, values: readonly string[]): Promise<void> {
  for (const value of values) await producer.write(TOPIC, { value });
  await producer.flush();
}

/** Five calls under way at a time, as our five requests are. */
async function inChunks(values: readonly string[], send: (chunk: readonly string[]) => Promise<unknown>) {
  let at = 0;
  const work = async () => {
    while (at < values.length) {
      const chunk = values.slice(at, at + CHUNK_RECORDS);
      at += CHUNK_RECORDS;
      await send(chunk);
    }
  };
  await Promise.all(Array.from({ length: 5 }, work));
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return (performance.now() - startedAtMs) / 1000;
}

async function compare(clients: Readonly<Record<string, Send>>, { bytes, records }: (typeof SIZES)[number]) {
  const values = Array.from({ length: records }, (_, number) => `${number}`.padEnd(bytes, '.'));
  const rateOf = async (send: Send) => records / (await seconds(() => send(values)));
  await compareClients({
    bench: `client-produce ${bytes} B`,
    records,
    rounds: ROUNDS,
    clients: Object.fromEntries(Object.entries(clients).map(([name, send]) => [name, () => rateOf(send)])),
  });
}

export async function run(): Promise<void> {
  const broker = await BrokerProcess.start(['--memory']);
  const brokers = [broker.address];
  const client: Client = await connect(`kafka://${broker.address}`);
  const producer = client.producer();
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const kafkaJs: KafkaJsProducer = kafka.producer({ allowAutoTopicCreation: true, idempotent: true });
  await kafkaJs.connect();
  const platformatic = new PlatformaticProducer({
    clientId: 'bench',
    bootstrapBrokers: brokers,
    idempotent: true,
  });
  const native = binding();
  let librdkafka: RdProducer | undefined;
  if (native !== undefined) librdkafka = await rdProducer(native, broker.address);
  try {
    await producer.send(TOPIC, { value: 'first' });
    const clients: Record<string, Send> = {
      milena: (values) => milena(producer, values),
      kafkajs: (values) =>
        inChunks(values, (chunk) =>
          kafkaJs.send({ topic: TOPIC, acks: -1, messages: chunk.map((value) => ({ value })) }),
        ),
      '@platformatic/kafka': (values) =>
        inChunks(values, (chunk) =>
          platformatic.send({
            acks: -1,
            messages: chunk.map((value) => ({ topic: TOPIC, value: Buffer.from(value) })),
          }),
        ),
    };
    if (librdkafka !== undefined)
      clients['librdkafka'] = (values) => (librdkafka as RdProducer).send(TOPIC, values);
    for (const size of SIZES) await compare(clients, size);
  } finally {
    await client.close();
    await kafkaJs.disconnect();
    await platformatic.close();
    await librdkafka?.close();
    broker.child.kill();
  }
}
