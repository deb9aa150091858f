import { counted, dryRunArgs, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { usage } from '../options.ts';
import type { GroupOffset } from '../../client/admin/group-offsets.ts';
import type { Column } from '../terminal/table.ts';

const COLUMNS: readonly Column<GroupOffset>[] = [
  { head: 'topic', of: ({ topic }) => topic },
  { head: 'partition', of: ({ partition }) => partition },
  { head: 'was at', of: ({ offset }) => offset },
];

/** `milena groups forget` */
export const forget = command({
  name: 'groups forget',
  description: 'Delete where a group was in topics that it does not read any more',
  args: {
    group: { type: 'positional', required: true, description: 'Name' },
    topic: {
      type: 'string',
      alias: 't',
      valueHint: 'NAME',
      description: 'All partitions of this one; may come many times',
    },
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { group: 'group', topic: 'topic' },
  async run({ args, every, report }) {
    const { group } = args;
    const names = every('topic');
    if (names.length === 0) throw usage('which topics? Say --topic NAME');
    await withAdmin({ args, report }, async (admin) => {
      const committed = await admin.groups.offsets(group);
      const found = committed.filter(({ topic }) => names.includes(topic));
      if (!args['dry-run'] && found.length > 0) {
        await report.confirm(`forget where group ${group} is in ${counted(found.length, 'partition')}?`);
        await withTopics(admin, names, () => admin.groups.deleteOffsets(group, found));
      }
      report.list('partitions', found, COLUMNS);
    });
  },
});
