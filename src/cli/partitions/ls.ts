import { withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import type { Column } from '../terminal/table.ts';

export interface PartitionPlace {
  topic: string;
  partition: number;
  leaderId: number;
  leaderEpoch: number;
  replicas: readonly number[];
  isr: readonly number[];
  offlineReplicas: readonly number[];
}

/** Who holds a partition. */
export const PLACE_COLUMNS: readonly Column<PartitionPlace>[] = [
  { head: 'topic', of: ({ topic }) => topic },
  { head: 'partition', of: ({ partition }) => partition },
  {
    head: 'leader',
    of: ({ leaderId }) => (leaderId < 0 ? 'none' : leaderId),
    style: ({ leaderId }) => (leaderId < 0 ? 'red' : undefined),
  },
  { head: 'replicas', of: ({ replicas }) => replicas.join(',') },
  {
    head: 'in sync',
    of: ({ isr }) => isr.join(','),
    style: (partition) => (isWell(partition) ? undefined : 'yellow'),
  },
];

/** `milena partitions ls` */
export const list = command({
  name: 'partitions ls',
  description: 'List partitions, their leaders and replicas',
  args: {
    topic: { type: 'positional', required: false, description: 'Topics; all unless given' },
    unhealthy: { type: 'boolean', description: 'Only those without a leader, or with replicas out of sync' },
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const { topics } = admin;
      const names =
        words.length > 0 ? words : (await topics.list({ internal: true })).map(({ name }) => name);
      const described = await withTopics(admin, names, () => topics.describe(names));
      const all = described.flatMap(({ name, partitions }) =>
        partitions.map((partition) => ({ topic: name, ...partition })),
      );
      report.list('partitions', args.unhealthy ? all.filter((each) => !isWell(each)) : all, PLACE_COLUMNS);
    });
  },
});

function isWell({ leaderId, isr, replicas }: PartitionPlace): boolean {
  return leaderId >= 0 && isr.length >= replicas.length;
}
