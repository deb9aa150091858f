import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { brokerForTest, useBroker } from './fixture.ts';
import { createTopic, newAdmin, newProducer } from './platformatic.ts';

const { TOPIC, BROKER, GROUP } = ConfigResourceTypes;
const { SET, DELETE, APPEND } = IncrementalAlterConfigOperationTypes;
const broker = useBroker('files');

type Admin = ReturnType<typeof newAdmin>;

function alter(
  admin: Admin,
  [resourceType, resourceName]: [resourceType: number, resourceName: string],
  changes: [name: string, operation: number, value?: string][],
): Promise<void> {
  const configs = changes.map(([name, configOperation, value = null]) => ({ name, configOperation, value }));
  const resources = [{ resourceType, resourceName, configs }];
  return admin.incrementalAlterConfigs({ resources } as Parameters<Admin['incrementalAlterConfigs']>[0]);
}

async function valueOf(admin: Admin, resourceType: number, resourceName: string, name: string) {
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }];
  const described = await admin.describeConfigs({ resources } as Parameters<Admin['describeConfigs']>[0]);
  return described[0]?.configs[0]?.value;
}

test('settings of topics, brokers and groups are changed one by one, and outlive the broker', async () => {
  const own = await brokerForTest('files');
  const admin = newAdmin(own);
  const topic = await createTopic(own);
  await alter(
    admin,
    [TOPIC, topic],
    [
      ['cleanup.policy', APPEND, 'compact'],
      ['segment.ms', SET, '1234'],
      ['retention.ms', DELETE],
    ],
  );
  await alter(admin, [BROKER, '1'], [['message.max.bytes', SET, '500']]);
  await alter(admin, [GROUP, 'g'], [['consumer.session.timeout.ms', SET, '50000']]);
  await own.stop();
  await own.start();
  const again = newAdmin(own);
  expect(await valueOf(again, TOPIC, topic, 'cleanup.policy')).toBe('delete,compact');
  expect(await valueOf(again, TOPIC, topic, 'segment.ms')).toBe('1234');
  expect(await valueOf(again, TOPIC, topic, 'max.message.bytes')).toBe('500');
  expect(await valueOf(again, GROUP, 'g', 'consumer.session.timeout.ms')).toBe('50000');
});

test('what is set for a broker counts at once', async () => {
  const admin = newAdmin(broker);
  const topic = await createTopic(broker);
  const producer = newProducer(broker, { retries: 0 });
  const send = () => producer.send({ acks: -1, messages: [{ topic, value: Buffer.alloc(2_000) }] });
  await send();
  await alter(admin, [BROKER, '1'], [['message.max.bytes', SET, '1000']]);
  await expect(send()).rejects.toThrow(/failed/i);
  await alter(admin, [BROKER, '1'], [['message.max.bytes', DELETE]]);
  await send();
});

test('replaces all settings of a topic', async () => {
  const admin = newAdmin(broker);
  const topic = await createTopic(broker);
  const replace = (configs: { name: string; value: string }[]) =>
    admin.alterConfigs({ resources: [{ resourceType: TOPIC, resourceName: topic, configs }] });
  await replace([{ name: 'segment.ms', value: '5' }]);
  await replace([{ name: 'retention.ms', value: '6' }]);
  expect(await valueOf(admin, TOPIC, topic, 'segment.ms')).toBe('604800000');
  expect(await valueOf(admin, TOPIC, topic, 'retention.ms')).toBe('6');
  await expect(replace([{ name: 'retention.ms', value: 'soon' }])).rejects.toThrow(/failed/i);
  expect(await valueOf(admin, TOPIC, topic, 'retention.ms')).toBe('6');
});

test('positions of a group are deleted, and not while it reads them', async () => {
  const admin = newAdmin(broker);
  const topic = await createTopic(broker);
  const groupId = broker.name('group');
  const partitionOffsets = [{ partition: 0, offset: 3n }];
  await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets }] });
  const topics = [{ name: topic, partitionIndexes: [0] }];
  await admin.deleteConsumerGroupOffsets({ groupId, topics });
  const [left] = await admin.listConsumerGroupOffsets({ groups: [groupId] });
  expect(left?.topics.flatMap(({ partitions }) => partitions) ?? []).toEqual([]);
});

test('log directories say what each partition takes', async () => {
  const admin = newAdmin(broker);
  const topic = await createTopic(broker);
  await newProducer(broker).send({ messages: [{ topic, value: Buffer.alloc(1_000) }] });
  const [described] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0] }] });
  expect(described?.broker).toBe(1);
  const [partition] = described?.results[0]?.topics[0]?.partitions ?? [];
  expect(partition).toMatchObject({ partitionIndex: 0, isFutureKey: false });
  expect(Number(partition?.partitionSize)).toBeGreaterThan(1_000);
});
