import type { Seen } from './binding.ts';
import { type Checks, same, until, valuesOf, type World } from './world.ts';

const RECORDS = 50;
const EACH = 10;
/** In the transaction that begins there, nothing is ended. */
const CRASHES = [10, 30];

export const TRANSACTIONS: Checks = {
  'what is committed counts, what is aborted does not; nothing behind an open one is read': async (world) => {
    const topic = await world.topic();
    const producer = await world.transactional(world.name('transaction'));
    const ends = [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit'],
    ] as const;
    for (const [value, end] of ends) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await transaction[end]();
    }
    const open = await producer.transaction();
    await open.send({ topic, messages: [{ value: 'open' }] });
    await world.write(topic, [{ value: 'plain' }]);
    const reader = await world.consumer(world.name('reader'));
    const seen: Seen[] = [];
    await reader.subscribe({ topics: [topic] });
    await reader.run({ eachMessage: async (one) => void seen.push(one) });
    await until(() => seen.length === 2);
    same(valuesOf(seen), ['a', 'c']);
    await open.abort();
    await until(() => seen.length === 3);
    same(valuesOf(seen), ['a', 'c', 'plain']);
    return `read_committed: ${valuesOf(seen).join(', ')}`;
  },

  'consume, transform, produce: positions of the group count with what was made of the records': async (
    world,
  ) => {
    const [source, target] = [await world.topic(), await world.topic()];
    const values = Array.from({ length: RECORDS }, (_, number) => String(number));
    await world.write(
      source,
      values.map((value) => ({ value })),
    );
    const groupId = world.name('group');
    const transactionalId = world.name('transaction');
    const crashes = new Set(CRASHES);
    for (let end = 0; end < RECORDS;)
      end = await transform(world, { source, target, groupId, transactionalId, crashes });
    same(
      valuesOf(await world.read([target], RECORDS)),
      values.map((value) => `made of ${value}`),
    );
    same(await world.committed(groupId, source), [String(RECORDS)]);
    return `${RECORDS} records, each once, over ${CRASHES.length} crashes`;
  },

  'who begins with the same id fences who had it, and goes on': async (world) => {
    const topic = await world.topic();
    const id = world.name('transaction');
    const zombie = await world.transactional(id);
    const open = await zombie.transaction();
    await open.send({ topic, messages: [{ value: 'zombie' }] });
    const owner = await (await world.transactional(id)).transaction();
    await owner.send({ topic, messages: [{ value: 'owner' }] });
    await owner.commit();
    const said = await world.refused(open.commit(), 'ERR__FENCED');
    same(valuesOf(await world.read([topic], 1)), ['owner']);
    return said;
  },
};

interface Work {
  source: string;
  target: string;
  groupId: string;
  transactionalId: string;
  crashes: Set<number>;
}

/** From where the group is, up to a crash or the end. @returns where the group is then. */
async function transform(world: World, work: Work): Promise<number> {
  const { source, target, groupId, transactionalId, crashes } = work;
  const consumer = await world.consumer(groupId, { kafkaJS: { autoCommit: false } });
  const producer = await world.transactional(transactionalId);
  const seen: Seen[] = [];
  await consumer.subscribe({ topics: [source] });
  await consumer.run({ eachMessage: async (one) => void seen.push(one) });
  let end = 0;
  while (end < RECORDS) {
    await until(() => seen.length >= EACH);
    const records = seen.splice(0, EACH);
    const first = Number(records[0]?.message.offset);
    const transaction = await producer.transaction();
    const messages = valuesOf(records).map((value) => ({ value: `made of ${value}` }));
    await transaction.send({ topic: target, messages });
    const partitions = [{ partition: 0, offset: String(first + records.length) }];
    await transaction.sendOffsets({ consumer, topics: [{ topic: source, partitions }] });
    if (crashes.delete(first)) break;
    await transaction.commit();
    end = first + records.length;
  }
  await world.disconnect(consumer);
  return end;
}
