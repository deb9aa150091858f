import { cp, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClusterState, readState } from '../compat/kafka/cluster-state.ts';
import { ABORTED, commit, topicOf, useOwnCodecs } from '../compat/kafka/workload.ts';
import { ClientBroker } from './fixture.ts';
import { connectConsumer, connectProducer, kafkajs } from './kafkajs.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

useOwnCodecs();
let broker: ClientBroker;
beforeEach(() => {
  broker = new ClientBroker('files');
});
afterEach(async () => {
  await broker.stop().catch(() => {});
  await broker.removeDirectories();
});

/** A broker on a copy of a directory that `test/compat/make-fixture.ts` made. */
async function startOn(fixture: string, prepare = async (_directory: string) => {}): Promise<ClusterState> {
  const directory = await broker.newDirectory();
  await cp(join(FIXTURES, fixture, 'data'), directory, { recursive: true });
  await prepare(directory);
  broker.startsOn(directory);
  await broker.start();
  return JSON.parse(await readFile(join(FIXTURES, fixture, 'expected.json'), 'utf8')) as ClusterState;
}

const unclean = (directory: string) => rm(join(directory, '.kafka_cleanshutdown'), { force: true });

test.each([
  ['a real Kafka broker left', 'kafka-4.3.1', undefined],
  ['a real Kafka broker left when it was killed', 'kafka-4.3.1', unclean],
  ['the first format of ours', 'milena-format-1', undefined],
  ['the first format of ours, not closed', 'milena-format-1', unclean],
])('%s: all it holds is served, and goes on', async (_, fixture, prepare) => {
  const expected = await startOn(fixture, prepare);
  expect(await readState(broker.address, { except: [ABORTED] })).toEqual(expected);
  expect((await readdir(broker.directory)).filter((name) => name.endsWith('-delete'))).toEqual([]);

  const topic = topicOf('none');
  const producer = await connectProducer(broker, { idempotent: true, maxInFlightRequests: 1 });
  const [sent] = await producer.send({ topic, messages: [{ value: 'one more' }] });
  expect(sent?.baseOffset).toBe(expected.partitions[`${topic}/0`]?.high);
  await commit(kafkajs(broker), { groupId: 'readers', topic, offsets: [20] });
  await broker.stop();
  await broker.start();
  const state = await readState(broker.address, { except: [ABORTED] });
  expect(state.partitions[`${topic}/0`]?.records.at(-1)?.value).toBe('one more');
  expect(state.groups).toEqual({ readers: { [`${topic}/0`]: '20' } });
  expect(await readFile(join(broker.directory, 'milena.format'), 'utf8')).toBe('version=3\n');
});

test.each([
  ['left', undefined],
  ['left when it was killed', unclean],
])(
  'of what a real Kafka broker %s, committed records alone are read where that is wanted',
  async (_, prepare) => {
    await startOn('kafka-4.3.1', prepare);
    const valuesOf = async (readUncommitted: boolean, count: number) => {
      const records: (string | null)[] = [];
      const consumer = await connectConsumer(broker, { groupId: broker.name('readers'), readUncommitted });
      await consumer.subscribe({ topic: ABORTED, fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => void records.push(String(message.value)) });
      await expect.poll(() => records.length, { timeout: 10_000 }).toBe(count);
      await consumer.disconnect();
      return records;
    };
    expect(await valuesOf(true, 3)).toEqual(['counts', 'does not', 'counts']);
    expect(await valuesOf(false, 2)).toEqual(['counts', 'counts']);
  },
);
