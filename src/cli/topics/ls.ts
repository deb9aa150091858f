import type { Admin } from '../../client/admin/admin.ts';
import { MilenaError } from '../../client/errors.ts';
import type { TopicListing } from '../../client/admin/topics.ts';
import { momentOf, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import type { Column } from '../terminal/table.ts';

/** A topic with what has to be asked of each of its leaders. */
interface LongListing extends TopicListing {
  /** Offsets from the first to the end: compaction and transactions leave fewer. */
  records: number;
  /** Of all replicas, as the brokers have them on disk; null where they do not say. */
  bytes: number | null;
  /** Milliseconds since 1970; null where nothing was written. */
  lastWriteAt: number | null;
}

const COLUMNS: readonly Column<TopicListing>[] = [
  { head: 'topic', of: ({ name }) => name },
  { head: 'partitions', of: ({ partitions }) => partitions },
  { head: 'replicas', of: ({ replicationFactor }) => replicationFactor },
];

const LONG_COLUMNS: readonly Column<LongListing>[] = [
  ...COLUMNS,
  { head: 'records', of: ({ records }) => records },
  { head: 'bytes', of: ({ bytes }) => bytes },
  { head: 'last write', of: ({ lastWriteAt }) => momentOf(lastWriteAt) },
];

/** `milena topics ls` */
export const list = command({
  name: 'topics ls',
  description: 'List topics',
  args: {
    long: { type: 'boolean', alias: 'l', description: 'Also records, bytes and the last write' },
    internal: { type: 'boolean', description: "Also Kafka's own, such as __consumer_offsets" },
    ...brokerArgs,
  },
  async run({ args, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const topics = await admin.topics.list({ internal: args.internal === true });
      if (!args.long) return report.list('topics', topics, COLUMNS);
      report.list('topics', await lengthened(admin, topics), LONG_COLUMNS);
    });
  },
});

async function lengthened(admin: Admin, topics: readonly TopicListing[]): Promise<LongListing[]> {
  const names = topics.map(({ name }) => name);
  const [sizes, starts, ends, newest] = await Promise.all([
    sizesOf(admin),
    ...(['earliest', 'latest', 'maxTimestamp'] as const).map((at) => admin.offsets.list(names, { at })),
  ]);
  const of = new Map(
    topics.map((each) => [
      each.name,
      { ...each, records: 0, bytes: sizes?.get(each.name) ?? null, lastWriteAt: null as number | null },
    ]),
  );
  for (const [index, end] of (ends ?? []).entries()) {
    const topic = of.get(end.topic);
    if (topic === undefined) continue;
    topic.records += (end.offset ?? 0) - (starts?.[index]?.offset ?? 0);
    const timestamp = newest?.[index]?.timestamp ?? null;
    if (timestamp !== null) topic.lastWriteAt = Math.max(topic.lastWriteAt ?? 0, timestamp);
  }
  return [...of.values()];
}

/** Undefined where a broker does not tell: other columns are worth seeing all the same. */
async function sizesOf(admin: Admin): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const sizes = new Map<string, number>();
    for (const { partitions } of await admin.cluster.logDirs())
      for (const { topic, sizeBytes } of partitions) sizes.set(topic, (sizes.get(topic) ?? 0) + sizeBytes);
    return sizes;
  } catch (error) {
    if (error instanceof MilenaError) return undefined;
    throw error;
  }
}
