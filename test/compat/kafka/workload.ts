import { createRequire } from 'node:module';
import type { Admin, Kafka, Message, Producer } from 'kafkajs';
import { loadKernels } from '../../../src/kernels/load.ts';
import { CODEC, type CodecName, UNPACKED_MAX_BYTES } from '../../../src/records/codecs.ts';
import { nodeCodecs } from '../../../src/hosts/node/codecs.ts';

const require = createRequire(import.meta.url);
const kafkajs: typeof import('kafkajs') = require('kafkajs');

const codecs = nodeCodecs(await loadKernels());

export const CODEC_NAMES = Object.keys(CODEC) as CodecName[];
const PARTITIONS = 2;
/** The least that Kafka takes. */
const SEGMENT_BYTES = 1024 * 1024;
const MESSAGES = 100;
const VALUE_BYTES = 1_000;
/** Every topic gets some, the uncompressed one enough for several segments. */
const SENDS = { none: 40, others: 8 };
const FIRST_TIMESTAMP = 1_700_000_000_000;

/** Gives kafkajs the codecs of this house: what they write, Kafka must read. */
export function useOwnCodecs(): void {
  for (const [number, codec] of codecs) {
    kafkajs.CompressionCodecs[number as keyof typeof kafkajs.CompressionCodecs] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(await codec.compress(buffer)),
      decompress: async (buffer: Buffer) => Buffer.from(await codec.decompress(buffer, UNPACKED_MAX_BYTES)),
    });
  }
}

/** A topic a codec, one that is deleted again, and groups that have committed. */
export async function fill(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: 'segment.bytes', value: String(SEGMENT_BYTES) }];
  const topics = CODEC_NAMES.map((codec) => ({
    topic: topicOf(codec),
    numPartitions: PARTITIONS,
    configEntries,
  }));
  await admin.createTopics({ topics: [...topics, { topic: 'deleted' }], waitForLeaders: true });
  await add(kafka, 0);
  await deleteOne(kafka, admin);
  await admin.disconnect();
  const topic = topicOf('none');
  for (const groupId of ['positions', 'more-positions'])
    await commit(kafka, { groupId, topic, offsets: [100, 101] });
}

/** More of the same, under a new producer id, and commits further on. */
export async function extend(kafka: Kafka, round: number): Promise<void> {
  await add(kafka, round);
  const offsets = [100 + round, 101 + round];
  await commit(kafka, { groupId: 'positions', topic: topicOf('none'), offsets });
}

export const COMMITTED = 'transactions-committed';
export const ABORTED = 'transactions-aborted';

/** Transactions that count, and in a topic of their own some between them that do not. */
export async function transact(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: COMMITTED }, { topic: ABORTED }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ transactionalId: 'compat', idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const [topic, counts] of [
    [COMMITTED, true],
    [ABORTED, true],
    [ABORTED, false],
    [ABORTED, true],
  ] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: counts ? 'counts' : 'does not' }] });
    await (counts ? transaction.commit() : transaction.abort());
  }
  await producer.disconnect();
}

export function topicOf(codec: CodecName): string {
  return `compat-${codec}`;
}

async function add(kafka: Kafka, round: number): Promise<void> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  for (const codec of CODEC_NAMES) {
    const sends = codec === 'none' && round === 0 ? SENDS.none : SENDS.others;
    for (let send = 0; send < sends; send++) await sendOne(producer, codec, { round, send });
  }
  await producer.disconnect();
}

async function sendOne(
  producer: Producer,
  codec: CodecName,
  { round, send }: { round: number; send: number },
): Promise<void> {
  const messages = Array.from({ length: MESSAGES }, (_, number): Message => {
    const name = `${codec} ${round} ${send} ${number} `;
    return {
      key: number % 7 === 0 ? null : String(number),
      value: number % 11 === 0 ? null : name.padEnd(VALUE_BYTES, 'abcdefghij'),
      headers: number % 3 === 0 ? { round: String(round), é: 'ü' } : {},
      timestamp: String(FIRST_TIMESTAMP + round * 1_000_000 + send * MESSAGES + number),
    };
  });
  await producer.send({ topic: topicOf(codec), compression: CODEC[codec], messages });
}

async function deleteOne(kafka: Kafka, admin: Admin): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'deleted', messages: [{ value: 'x' }] });
  await producer.disconnect();
  await admin.deleteTopics({ topics: ['deleted'] });
}

/** As a member of the group does. (`admin.setOffsets` of kafkajs would wait 5 s for a fetch of its own.) */
export async function commit(
  kafka: Kafka,
  { groupId, topic, offsets }: { groupId: string; topic: string; offsets: readonly number[] },
): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const joined = Promise.withResolvers<void>();
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ autoCommit: false, eachBatch: async () => {} });
  await joined.promise;
  const positions = offsets.map((offset, partition) => ({ topic, partition, offset: String(offset) }));
  await consumer.commitOffsets(positions);
  await consumer.disconnect();
}
