import { Consumer } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { KafkaCluster } from '../kafka/cluster.ts';

/** What only Apache Kafka serves, beyond what the suite of both asks for. */

let kafka: KafkaCluster;
let client: Client;
beforeAll(async () => {
  kafka = await KafkaCluster.start(1);
  client = await connect(`kafka://${kafka.address}`);
  await client.admin.topics.create('orders', { partitions: 2 });
}, 180_000);
afterAll(async () => {
  await client.close();
  await kafka.close();
});

test('a group of the new protocol (KIP-848)', async () => {
  const { groups } = client.admin;
  await groups.reset('old', { to: 'latest', topics: ['orders'] });
  const consumer = new Consumer({
    clientId: 'platformatic',
    bootstrapBrokers: [kafka.address],
    groupId: 'new',
    groupProtocol: 'consumer',
  });
  const stream = await consumer.consume({ topics: ['orders'], autocommit: false });
  const assigned = async () => (await groups.describe('new')).members.flatMap(({ assignment }) => assignment);
  await expect.poll(assigned, { timeout: 30_000 }).toHaveLength(2);
  const [described, old] = await groups.describe(['new', 'old']);
  expect(described).toMatchObject({ type: 'consumer', state: 'Stable', assignor: 'uniform' });
  expect(described?.members.map(({ clientId }) => clientId)).toEqual(['platformatic']);
  expect(old).toMatchObject({ type: 'classic', state: 'Empty', members: [] });
  expect((await groups.list({ types: ['consumer'] })).map(({ groupId }) => groupId)).toEqual(['new']);
  const to = { to: 'latest', topics: ['orders'] } as const;
  await expect(groups.reset('new', to)).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' });
  await stream.close();
  await consumer.close(true);
  await groups.reset('new', to);
  expect((await groups.lag('new')).lag).toBe(0);
  await groups.delete(['new', 'old']);
});
