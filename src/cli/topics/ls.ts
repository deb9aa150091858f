import type { Admin } from '../../client/admin/admin.ts';
import type { TopicListing } from '../../client/admin/topics.ts';
import { momentOf, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import type { Column } from '../terminal/table.ts';

/** A topic with what has to be asked of each of its leaders. */
interface LongListing extends TopicListing {
  /** Offsets from the first to the end: compaction and transactions leave fewer. */
  records: number;
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
  { head: 'last write', of: ({ lastWriteAt }) => momentOf(lastWriteAt) },
];

/** `milena topics ls` */
export const list = command({
  name: 'topics ls',
  description: 'List topics',
  args: {
    long: { type: 'boolean', alias: 'l', description: 'Also how many records there are, and the last write' },
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
  const [starts, ends, newest] = await Promise.all(
    (['earliest', 'latest', 'maxTimestamp'] as const).map((at) => admin.offsets.list(names, { at })),
  );
  const of = new Map(
    topics.map((each) => [each.name, { ...each, records: 0, lastWriteAt: null as number | null }]),
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
