import type { PartitionReset, ResetOptions } from '../../client/admin/group-reset.ts';
import { counted, dryRunArgs, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn, usage } from '../options.ts';
import { positionOf } from '../position.ts';
import type { Column } from '../terminal/table.ts';

const COLUMNS: readonly Column<PartitionReset>[] = [
  { head: 'topic', of: ({ topic }) => topic },
  { head: 'partition', of: ({ partition }) => partition },
  { head: 'from', of: ({ from }) => from },
  { head: 'to', of: ({ to }) => to },
];

/** `milena groups reset` */
export const reset = command({
  name: 'groups reset',
  description: 'Move a group without members to other offsets',
  args: {
    group: { type: 'positional', required: true, description: 'Name' },
    to: {
      type: 'string',
      valueHint: 'WHERE',
      description: 'earliest, latest, an offset, or a time: -1h, 2026-11-25T12:00Z',
    },
    'shift-by': { type: 'string', valueHint: 'N', description: 'So many records later; -N earlier' },
    topic: {
      type: 'string',
      alias: 't',
      valueHint: 'NAME',
      description: 'All partitions of this one; may come many times. Unless given, all that is committed',
    },
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { group: 'group', topic: 'topic', to: ['earliest', 'latest'] },
  async run({ args, every, report }) {
    const { group } = args;
    const to = targetOf(args.to, args['shift-by']);
    const names = every('topic');
    const options: ResetOptions = { to, topics: names.length === 0 ? undefined : names };
    await withAdmin({ args, report }, async (admin) => {
      const planned = await withTopics(admin, names, () =>
        admin.groups.reset(group, { ...options, dryRun: true }),
      );
      if (args['dry-run']) return report.list('partitions', planned.partitions, COLUMNS);
      await report.confirm(`move group ${group} in ${counted(planned.partitions.length, 'partition')}?`);
      report.list('partitions', (await admin.groups.reset(group, options)).partitions, COLUMNS);
    });
  },
});

/** @throws CliError */
function targetOf(to: string | undefined, shiftBy: string | undefined): ResetOptions['to'] {
  if ((to === undefined) === (shiftBy === undefined))
    throw usage(
      'where to? Say --to or --shift-by, one of them',
      'such as --to earliest, --to -1h, --shift-by -100',
    );
  if (shiftBy === undefined) return positionOf('--to', to ?? '', Date.now());
  return { shiftBy: integerIn('--shift-by', shiftBy, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) };
}
