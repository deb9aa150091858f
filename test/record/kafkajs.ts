import kafkajs, { type Admin } from 'kafkajs';
import { KAFKAJS_CODECS, registerCodecs } from '../clients/kafkajs-codecs.ts';

const { CompressionTypes, ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs;
const TOPIC = 'golden';
const GROUP = 'golden-group';
const timestamp = '1700000000000';

/** Topics, produce with every codec and `acks`, an idempotent producer, a group that reads and commits, admin. */
export async function talkKafkajs(port: number): Promise<void> {
  registerCodecs();
  const kafka = new Kafka({
    clientId: 'golden',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: 'retention.ms', value: '3600000000' }];
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 2, configEntries }] });
  await produce(kafka);
  await consume(kafka, admin);
  await administer(admin);
  await admin.disconnect();
}

async function produce(kafka: kafkajs.Kafka): Promise<void> {
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ createPartitioner });
  await producer.connect();
  for (const acks of [0, 1, -1]) {
    const messages = [
      { key: 'key', value: `acks ${acks}`, partition: 0, timestamp, headers: { trace: 'é' } },
    ];
    await producer.send({ topic: TOPIC, acks, messages });
  }
  for (const [name, compression] of [['none', CompressionTypes.None] as const, ...KAFKAJS_CODECS]) {
    await producer.send({
      topic: TOPIC,
      compression,
      messages: [{ value: `${name} `.repeat(50), partition: 0, timestamp }],
    });
  }
  await producer.disconnect();
  const idempotent = kafka.producer({ createPartitioner, idempotent: true, maxInFlightRequests: 1 });
  await idempotent.connect();
  await idempotent.sendBatch({
    topicMessages: [
      {
        topic: TOPIC,
        messages: [
          { value: 'one', partition: 0, timestamp },
          { value: 'other', partition: 1, timestamp },
        ],
      },
    ],
  });
  await idempotent.disconnect();
}

const RECORDS = 10;

async function consume(kafka: kafkajs.Kafka, admin: Admin): Promise<void> {
  const consumer = kafka.consumer({ groupId: GROUP, maxWaitTimeInMs: 100, heartbeatInterval: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  let left = RECORDS;
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async () => {
      if (--left === 0) resolve();
    };
    consumer.run({ autoCommitThreshold: 5, eachMessage }).catch(reject);
  });
  await admin.describeGroups([GROUP]);
  await consumer.disconnect();
}

async function administer(admin: Admin): Promise<void> {
  await admin.describeCluster();
  await admin.fetchTopicMetadata();
  await admin.fetchTopicOffsets(TOPIC);
  await admin.fetchTopicOffsetsByTimestamp(TOPIC, Number(timestamp));
  await admin.listGroups();
  await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
  await admin.setOffsets({ groupId: GROUP, topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] });
  await admin.describeConfigs({
    includeSynonyms: true,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configNames: ['retention.ms'] }],
  });
  await admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 3 }] });
  await admin.deleteGroups([GROUP]);
  await admin.deleteTopics({ topics: [TOPIC] });
}
