import { Admin, Consumer, Producer } from '@platformatic/kafka';

const TOPIC = 'golden';
const GROUP = 'golden-group';
const timestamp = 1_700_000_000_000n;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Topics, produce with every codec and `acks`, an idempotent producer, a group that reads and commits, admin. */
export async function talkPlatformatic(port: number): Promise<void> {
  const base = { clientId: 'golden', bootstrapBrokers: [`127.0.0.1:${port}`], retries: 5, retryDelay: 20 };
  const admin = new Admin(base);
  const configs = [{ name: 'retention.ms', value: '3600000000' }];
  await admin.createTopics({ topics: [TOPIC], partitions: 2, replicas: 1, configs });
  for (const compression of CODECS) {
    const producer = new Producer({ ...base, compression });
    await producer.send({ messages: [message(`${compression} `.repeat(50))] });
    await producer.close();
  }
  const producer = new Producer({ ...base, idempotent: true });
  await producer.send({ messages: [message('one', 0), message('other', 1)] });
  await producer.close();
  const consumer = new Consumer({ ...base, groupId: GROUP, maxWaitTime: 100, heartbeatInterval: 50 });
  await consume(consumer);
  await admin.describeGroups({ groups: [GROUP] });
  await consumer.commit({ offsets: [{ topic: TOPIC, partition: 0, offset: 1n, leaderEpoch: 0 }] });
  await consumer.listCommittedOffsets({ topics: [{ topic: TOPIC, partitions: [0] }] });
  await consumer.listOffsetsWithTimestamps({ topics: [TOPIC], timestamp });
  await consumer.close(true);
  await administer(admin);
  await admin.close();
}

function message(value: string, partition = 0) {
  const headers = new Map([[Buffer.from('trace'), Buffer.from('é')]]);
  return { topic: TOPIC, partition, key: Buffer.from('key'), value: Buffer.from(value), timestamp, headers };
}

async function consume(consumer: Consumer): Promise<void> {
  const stream = await consumer.consume({ topics: [TOPIC], mode: 'committed', fallbackMode: 'earliest' });
  let left = CODECS.length + 2;
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', () => {
      if (--left === 0) resolve();
    });
  });
  await stream.close();
}

async function administer(admin: Admin): Promise<void> {
  await admin.metadata({ topics: [TOPIC], forceUpdate: true });
  await admin.listTopics();
  await admin.listGroups();
  await admin.describeConfigs({
    resources: [{ resourceType: 2, resourceName: TOPIC, configurationKeys: ['retention.ms'] }],
    includeSynonyms: true,
    includeDocumentation: true,
  });
  await admin.createPartitions({ topics: [{ name: TOPIC, count: 3, assignments: [{ brokerIds: [1] }] }] });
  await admin.deleteGroups({ groups: [GROUP] });
  await admin.deleteTopics({ topics: [TOPIC] });
}
