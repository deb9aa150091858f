import type { Admin } from '../../client/admin/admin.ts';
import { titleOf } from '../../client/topic-partition.ts';
import { withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { PLACE_COLUMNS, type PartitionPlace } from '../partitions/ls.ts';
import type { Column } from '../terminal/table.ts';

interface Partition extends PartitionPlace {
  /** Null where no leader says. */
  startOffset: number | null;
  endOffset: number | null;
}

const COLUMNS: readonly Column<Partition>[] = [
  ...PLACE_COLUMNS,
  { head: 'start', of: ({ startOffset }) => startOffset },
  { head: 'end', of: ({ endOffset }) => endOffset },
];

/** `milena topics describe` */
export const describe = command({
  name: 'topics describe',
  description: 'Show partitions, leaders, offsets and settings of topics',
  args: { topic: { type: 'positional', required: true, description: 'Names' }, ...brokerArgs },
  hasMany: true,
  completes: { topic: 'topic' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const topics = await withTopics(admin, words, () => describedTopics(admin, words));
      if (report.json) return report.facts({ topics }, []);
      for (const { name, id, configs } of topics) {
        report.note(`topic ${name}, id ${id}`);
        for (const { name: setting, value } of configs) report.note(`  ${setting}=${value ?? ''}`);
      }
      const rows = topics.flatMap(({ name, partitions }) => partitions.map((at) => ({ topic: name, ...at })));
      report.list('partitions', rows, COLUMNS);
    });
  },
});

/** With offsets, and the settings that somebody set. */
export async function describedTopics(admin: Admin, names: readonly string[]) {
  const topics = await admin.topics.describe(names);
  const led = topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partition, leaderId }) => (leaderId < 0 ? [] : [{ topic: name, partition }])),
  );
  const [starts, ends] = await Promise.all([
    admin.offsets.list(led, { at: 'earliest' }),
    admin.offsets.list(led, { at: 'latest' }),
  ]);
  const byTitle = (found: typeof starts) => new Map(found.map((at) => [titleOf(at), at.offset]));
  const [startOf, endOf] = [byTitle(starts), byTitle(ends)];
  return Promise.all(
    topics.map(async ({ name, id, isInternal, partitions }) => ({
      name,
      id,
      isInternal,
      configs: (await admin.configs.describe({ topic: name }))
        .filter(({ isDefault }) => !isDefault)
        .map(({ name: setting, value, source }) => ({ name: setting, value, source })),
      partitions: partitions.map((at) => {
        const title = titleOf({ topic: name, partition: at.partition });
        return { ...at, startOffset: startOf.get(title) ?? null, endOffset: endOf.get(title) ?? null };
      }),
    })),
  );
}
