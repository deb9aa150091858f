import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, type KafkaMessage, logLevel } from 'kafkajs';

/** What a cluster holds, as a client sees it: two brokers on the same directory must give the same. */
export interface ClusterState {
  /** By "topic/partition". */
  partitions: Record<string, PartitionState>;
  /** Committed offsets by group and "topic/partition". */
  groups: Record<string, Record<string, string>>;
}

export interface PartitionState {
  low: string;
  high: string;
  records: PlainRecord[];
  /** The first offset at or after some timestamps. */
  lookups: Record<string, string>;
}

export interface PlainRecord {
  offset: string;
  timestamp: string;
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
}

const READERS = 'reader-';

/** Unmodified kafkajs, patient with a broker that has just started. */
export function connectTo(address: string): Kafka {
  return new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  });
}

/** Reads all of it: every topic that is not internal, every group but those that readers like this one leave. */
export async function readState(
  address: string,
  { except = [] as readonly string[] } = {},
): Promise<ClusterState> {
  const kafka = connectTo(address);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const named = await admin.listTopics();
    const topics = named.filter((topic) => !topic.startsWith('__') && !except.includes(topic)).toSorted();
    const partitions: Record<string, PartitionState> = {};
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        partitions[`${topic}/${partition}`] = { low, high, records: [], lookups: {} };
    }
    await readRecords(kafka, topics, partitions);
    for (const topic of topics) await lookUp(admin, topic, partitions);
    return { partitions: sortedByKey(partitions), groups: await readGroups(admin) };
  } finally {
    await admin.disconnect();
  }
}

/** A shard that has failed is opened again a second later; the administration of kafkajs asks only once. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable) throw error;
    }
  }
}

async function readRecords(
  kafka: Kafka,
  topics: string[],
  partitions: Record<string, PartitionState>,
): Promise<void> {
  let missing = Object.values(partitions).filter(({ low, high }) => low !== high).length;
  if (missing === 0) return;
  const done = Promise.withResolvers<void>();
  const consumer = kafka.consumer({ groupId: READERS + randomUUID(), maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const state = partitions[`${batch.topic}/${batch.partition}`];
      if (state === undefined) return;
      const before = Number(state.records.at(-1)?.offset ?? -1);
      const fresh = batch.messages.filter(({ offset }) => Number(offset) > before);
      state.records.push(...fresh.map(plain));
      if (fresh.length > 0 && Number(batch.lastOffset()) + 1 === Number(state.high) && --missing === 0)
        done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
}

function plain({ offset, timestamp, key, value, headers = {} }: KafkaMessage): PlainRecord {
  const entries = Object.entries(headers).map(([name, bytes]) => [name, String(bytes)]);
  return {
    offset,
    timestamp,
    key: key === null ? null : String(key),
    value: value === null ? null : String(value),
    headers: Object.fromEntries(entries) as Record<string, string>,
  };
}

/** Before all, the time of a record in the middle, just after it, after all. */
async function lookUp(
  admin: Admin,
  topic: string,
  partitions: Record<string, PartitionState>,
): Promise<void> {
  const own = Object.entries(partitions).filter(([name]) => name.startsWith(`${topic}/`));
  const times = own
    .flatMap(([, { records }]) => records.map(({ timestamp }) => Number(timestamp)))
    .toSorted((a, b) => a - b);
  const middle = times[times.length >> 1] ?? 0;
  for (const time of new Set([0, middle, middle + 1, times.at(-1) ?? 0])) {
    for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(topic, time)) {
      const state = partitions[`${topic}/${partition}`];
      if (state !== undefined) state.lookups[time] = offset;
    }
  }
}

async function readGroups(admin: Admin): Promise<ClusterState['groups']> {
  const { groups } = await admin.listGroups();
  const states: ClusterState['groups'] = {};
  for (const { groupId } of groups.toSorted((a, b) => a.groupId.localeCompare(b.groupId))) {
    if (groupId.startsWith(READERS)) continue;
    const topics = await admin.fetchOffsets({ groupId });
    const entries = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic}/${partition}`, offset] as const),
    );
    states[groupId] = sortedByKey(Object.fromEntries(entries));
  }
  return states;
}

function sortedByKey<T>(object: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => a.localeCompare(b)));
}
