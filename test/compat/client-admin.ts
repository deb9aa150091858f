import { deepStrictEqual, match, ok, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Check, Suite } from './suite.ts';

const CLUSTER_ID = 'a2Fma2EtbWFkZS1pdC1oaQ';
const LOOK_AGAIN_MS = 50;

/** Our client's admin against Kafka's broker, which serves what ours does not yet. */
export const suite: Suite = {
  name: 'client-admin',
  missing: missingKafka,
  async run(check) {
    const directory = await mkdtemp(join(tmpdir(), 'milena-admin-'));
    await KafkaBroker.format(directory, CLUSTER_ID);
    const broker = await KafkaBroker.start(directory);
    const client = await connect(`kafka://${broker.address}`);
    try {
      await topicsAndRecords(check, client);
      await configs(check, client);
      await groups(check, client);
      await members(check, client, broker.address);
      await cluster(check, client);
    } finally {
      await client.close();
      await broker.stop('SIGKILL');
      await rm(directory, { recursive: true });
    }
  },
};

async function topicsAndRecords(check: Check, client: Client): Promise<void> {
  const { topics, offsets, records } = client.admin;
  await check('topics are created, ensured, described, extended, listed and deleted', async () => {
    const created = await topics.create('first', { partitions: 2, configs: { 'cleanup.policy': 'compact' } });
    deepStrictEqual(
      created.partitions.map(({ leaderId, isr }) => ({ leaderId, isr })),
      [1, 2].map(() => ({ leaderId: 1, isr: [1] })),
    );
    deepStrictEqual(await topics.ensure('first', { partitions: 3, retention: '7d' }), 'changed');
    deepStrictEqual(await topics.ensure('first', { partitions: 3, retention: '7d' }), 'unchanged');
    deepStrictEqual((await topics.describe('first')).partitions.length, 3);
    ok((await topics.list()).some(({ name, partitions }) => name === 'first' && partitions === 3));
    await rejects(topics.create('first'), { code: 'TOPIC_ALREADY_EXISTS' });
    await rejects(topics.createPartitions('first', 3), { code: 'INVALID_PARTITIONS' });
    await topics.delete('first');
    await rejects(topics.describe('first'), { code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await rejects(topics.delete('first'), { code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });
  await check('offsets are found at the ends, by time and by the highest timestamp', async () => {
    await topics.create('orders', { partitions: 2 });
    const at = (timestamp: number) => ({ value: 'x', timestamp, partition: 0 });
    await client.send('orders', [at(1000), at(3000), at(2000)]);
    const found = async (where: Parameters<typeof offsets.list>[1]) =>
      (await offsets.list('orders', where)).map(({ offset }) => offset);
    deepStrictEqual(await found({ at: 'earliest' }), [0, 0]);
    deepStrictEqual(await found({ at: 'latest', isolation: 'read_committed' }), [3, 0]);
    deepStrictEqual(await found({ at: 'maxTimestamp' }), [1, null]);
    deepStrictEqual(await found({ at: { time: 1500 } }), [1, null]);
  });
  await check('records are deleted up to an offset, and no further', async () => {
    const partitions = [0];
    deepStrictEqual(await records.delete('orders', { before: 2, partitions, dryRun: true }), [
      { topic: 'orders', partition: 0, startOffset: 2 },
    ]);
    deepStrictEqual(await records.delete('orders', { before: 2, partitions }), [
      { topic: 'orders', partition: 0, startOffset: 2 },
    ]);
    const starts = await offsets.list('orders', { at: 'earliest' });
    deepStrictEqual(starts[0]?.offset, 2);
  });
}

async function configs(check: Check, client: Client): Promise<void> {
  const { configs: settings } = client.admin;
  const valueOf = async (name: string) => {
    const [entry] = await settings.describe({ topic: 'orders' }, { names: [name] });
    return entry && { value: entry.value, source: entry.source, isDefault: entry.isDefault };
  };
  await check('settings are set, appended to, subtracted from, and let go', async () => {
    const byDefault = await valueOf('retention.ms');
    deepStrictEqual(byDefault, { value: '604800000', source: 'DEFAULT_CONFIG', isDefault: true });
    await settings.alter(
      { topic: 'orders' },
      { 'retention.ms': 5000, 'cleanup.policy': { append: 'compact' } },
    );
    const mine = { source: 'DYNAMIC_TOPIC_CONFIG', isDefault: false };
    deepStrictEqual(await valueOf('retention.ms'), { value: '5000', ...mine });
    deepStrictEqual(await valueOf('cleanup.policy'), { value: 'delete,compact', ...mine });
    await settings.alter(
      { topic: 'orders' },
      { 'cleanup.policy': { subtract: 'delete' }, 'retention.ms': null },
    );
    deepStrictEqual(await valueOf('retention.ms'), byDefault);
    deepStrictEqual(await valueOf('cleanup.policy'), { value: 'compact', ...mine });
  });
  await check('a dry run checks and changes nothing', async () => {
    await settings.alter({ topic: 'orders' }, { 'retention.ms': 1 }, { dryRun: true });
    deepStrictEqual((await valueOf('retention.ms'))?.value, '604800000');
    const altering = settings.alter({ topic: 'orders' }, { 'retention.ms': 'never' }, { dryRun: true });
    await rejects(altering, { code: 'INVALID_CONFIG' });
  });
  await check('settings of a broker, of all brokers, and of a group', async () => {
    await settings.alter({ broker: 1 }, { 'log.cleaner.threads': 2 });
    await settings.alter({ broker: 'default' }, { 'message.max.bytes': 2_000_000 });
    await settings.alter({ group: 'billing' }, { 'consumer.session.timeout.ms': 50_000 });
    const of = async (resource: Parameters<typeof settings.describe>[0], name: string) =>
      (await settings.describe(resource, { names: [name] })).map(({ value, source }) => [value, source]);
    deepStrictEqual(await of({ broker: 1 }, 'log.cleaner.threads'), [['2', 'DYNAMIC_BROKER_CONFIG']]);
    deepStrictEqual(await of({ broker: 'default' }, 'message.max.bytes'), [
      ['2000000', 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
    ]);
    deepStrictEqual(await of({ group: 'billing' }, 'consumer.session.timeout.ms'), [
      ['50000', 'DYNAMIC_GROUP_CONFIG'],
    ]);
  });
}

async function groups(check: Check, client: Client): Promise<void> {
  const { groups: all } = client.admin;
  await check('a group is made by a reset, described, behind, moved and deleted', async () => {
    const { partitions } = await all.reset('billing', { to: 'earliest', topics: ['orders'] });
    deepStrictEqual(
      partitions.map(({ from, to }) => ({ from, to })),
      [
        { from: null, to: 2 },
        { from: null, to: 0 },
      ],
    );
    deepStrictEqual((await all.lag('billing')).lag, 1);
    await all.reset('billing', { to: 'latest', dryRun: true });
    deepStrictEqual((await all.lag('billing')).lag, 1);
    await all.reset('billing', { to: { shiftBy: 1 } });
    deepStrictEqual((await all.lag('billing')).lag, 0);
    const [listed] = await all.list({ states: ['Empty'] });
    deepStrictEqual(listed?.groupId, 'billing');
    await all.deleteOffsets('billing', [{ topic: 'orders', partition: 1 }]);
    deepStrictEqual(
      (await all.offsets('billing')).map(({ partition, offset }) => [partition, offset]),
      [[0, 3]],
    );
    await all.delete('billing');
    await rejects(all.describe('billing'), { code: 'GROUP_ID_NOT_FOUND' });
  });
}

async function members(check: Check, client: Client, address: string): Promise<void> {
  const { groups: all } = client.admin;
  await check('members of a classic group, which is neither moved nor deleted', async () => {
    const consumer = new Kafka({
      clientId: 'kafkajs',
      brokers: [address],
      logLevel: logLevel.NOTHING,
    }).consumer({
      groupId: 'classic',
    });
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders' });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => {} });
    await joined;
    const { type, state, members: some } = await all.describe('classic');
    deepStrictEqual({ type, state }, { type: 'classic', state: 'Stable' });
    deepStrictEqual(some.flatMap(({ assignment }) => assignment).length, 2);
    await rejects(all.reset('classic', { to: 'latest', topics: ['orders'] }), { code: 'NON_EMPTY_GROUP' });
    await rejects(all.delete('classic'), { code: 'NON_EMPTY_GROUP' });
    await consumer.disconnect();
  });
  await check('members of a group of the new protocol (KIP-848)', async () => {
    const consumer = new Consumer({
      clientId: 'platformatic',
      bootstrapBrokers: [address],
      groupId: 'new',
      groupProtocol: 'consumer',
    });
    const stream = await consumer.consume({ topics: ['orders'], autocommit: false });
    const { type, state, assignor, members: some } = await onceShared(all, 'new', 2);
    deepStrictEqual({ type, state, assignor }, { type: 'consumer', state: 'Stable', assignor: 'uniform' });
    deepStrictEqual(
      some.map(({ clientId }) => clientId),
      ['platformatic'],
    );
    ok((await all.list({ types: ['consumer'] })).some(({ groupId }) => groupId === 'new'));
    deepStrictEqual(
      (await all.describe(['new', 'classic'])).map((group) => group.type),
      ['consumer', 'classic'],
    );
    await rejects(all.reset('new', { to: 'latest', topics: ['orders'] }), { code: 'NON_EMPTY_GROUP' });
    await stream.close();
    await consumer.close(true);
    await all.reset('new', { to: 'latest', topics: ['orders'] });
    deepStrictEqual((await all.lag('new')).lag, 0);
    await all.delete(['new', 'classic']);
  });
}

/** A group whose members have so many partitions; a member of the new protocol gets them bit by bit. */
async function onceShared(groups: Client['admin']['groups'], groupId: string, count: number) {
  for (;;) {
    const found = await groups.describe(groupId);
    if (found.members.flatMap(({ assignment }) => assignment).length === count) return found;
    await pause(LOOK_AGAIN_MS);
  }
}

async function cluster(check: Check, client: Client): Promise<void> {
  await check('the cluster, its features, and its health', async () => {
    const { clusterId, controllerId, brokers, features } = await client.admin.cluster.describe();
    deepStrictEqual({ clusterId, controllerId }, { clusterId: CLUSTER_ID, controllerId: 1 });
    deepStrictEqual(
      brokers.map(({ id }) => id),
      [1],
    );
    match(features.map(({ name }) => name).join(), /metadata\.version/);
    deepStrictEqual((await client.admin.cluster.health()).problems, []);
  });
}
