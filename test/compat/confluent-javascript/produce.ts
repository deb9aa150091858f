import type { Message } from './binding.ts';
import { type Checks, at, same, until, valuesOf } from './world.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const EACH = 200;

export const PRODUCE: Checks = {
  'records by every codec, with keys, headers and times, as an idempotent producer writes them': async (
    world,
  ) => {
    const topic = await world.topic(3);
    const timestamp = String(Date.now() - 1_000);
    for (const codec of CODECS) {
      const producer = await world.producer({ kafkaJS: { idempotent: true, compression: codec } });
      const messages = Array.from({ length: EACH }, (_, number) => ({
        key: `${codec}-${number}`,
        value: `${number} `.repeat(20),
        headers: { codec },
        timestamp,
      }));
      await producer.send({ topic, messages });
    }
    const seen = await world.read([topic], EACH * CODECS.length);
    const wanted = CODECS.flatMap((codec) =>
      Array.from({ length: EACH }, (_, number) => `${codec}-${number}`),
    );
    same(seen.map(({ message }) => String(message.key)).toSorted(), wanted.toSorted());
    for (const { message } of seen) {
      const [codec, number] = String(message.key).split('-');
      same([message.timestamp, String(message.headers?.['codec'])], [timestamp, codec]);
      same(String(message.value), `${number} `.repeat(20));
    }
    return `${CODECS.join(', ')}: ${seen.length} records`;
  },

  'several topics in one call': async (world) => {
    const topics = [await world.topic(), await world.topic()];
    const producer = await world.producer();
    await producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ value: topic }] })),
    });
    same(valuesOf(await world.read(topics, 2)).toSorted(), topics.toSorted());
    return '2 topics';
  },

  'a record that is too large for its topic is refused, and the next is written': async (world) => {
    const topic = await world.topic(1, { 'max.message.bytes': '1000' });
    const producer = await world.producer();
    const large = producer.send({ topic, messages: [{ value: 'x'.repeat(5_000) }] });
    const said = await world.refused(large, 'ERR_MSG_SIZE_TOO_LARGE');
    await producer.send({ topic, messages: [{ value: 'small' }] });
    same(valuesOf(await world.read([topic], 1)), ['small']);
    return said;
  },

  'seeking; pausing a partition, and going on': async (world) => {
    const topic = await world.topic(2);
    await world.write(topic, toPartition(0, 'a', 'b', 'c'));
    const seen: string[] = [];
    const consumer = await world.consumer(world.name('group'));
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
    await until(() => seen.length === 3);
    consumer.seek(at(topic, 0, 1));
    await until(() => seen.length === 5);
    same(seen, ['a', 'b', 'c', 'b', 'c']);
    consumer.pause([{ topic, partitions: [0] }]);
    await world.write(topic, toPartition(0, 'd'));
    await world.write(topic, toPartition(1, 'e'));
    await until(() => seen.length === 6);
    consumer.resume([{ topic, partitions: [0] }]);
    await until(() => seen.length === 7);
    same(seen.slice(5), ['e', 'd']);
    return seen.join(', ');
  },
};

function toPartition(partition: number, ...values: string[]): Message[] {
  return values.map((value) => ({ value, partition }));
}
