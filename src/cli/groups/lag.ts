import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from '../../client/admin/admin.ts';
import type { GroupLag, PartitionLag } from '../../client/admin/group-lag.ts';
import { spanMs } from '../../client/admin/span.ts';
import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { integerIn } from '../options.ts';
import type { Report } from '../terminal/report.ts';
import type { Column } from '../terminal/table.ts';

const GROUP_COLUMNS: readonly Column<GroupLag>[] = [
  { head: 'group', of: ({ groupId }) => groupId },
  { head: 'state', of: ({ state }) => state },
  { head: 'lag', of: ({ lag }) => lag },
];

const PARTITION_COLUMNS: readonly Column<PartitionLag & { groupId: string }>[] = [
  { head: 'group', of: ({ groupId }) => groupId },
  { head: 'topic', of: ({ topic }) => topic },
  { head: 'partition', of: ({ partition }) => partition },
  { head: 'committed', of: ({ committedOffset }) => committedOffset },
  { head: 'end', of: ({ endOffset }) => endOffset },
  { head: 'lag', of: ({ lag }) => lag, style: ({ lag }) => (lag === 0 ? 'dim' : undefined) },
  { head: 'client', of: ({ clientId }) => clientId },
];

/** `milena groups lag` */
export const lag = command({
  name: 'groups lag',
  description: 'Show how far groups are behind: all of them, or some by partition',
  args: {
    group: { type: 'positional', required: false, description: 'Names; all groups unless given' },
    topic: {
      type: 'string',
      alias: 't',
      valueHint: 'NAME',
      description: 'Of this one only; may come many times',
    },
    watch: { type: 'boolean', alias: 'w', description: 'Look again and again, until Ctrl-C' },
    every: { type: 'string', default: '2s', valueHint: 'SPAN', description: 'How often with --watch' },
    max: {
      type: 'string',
      valueHint: 'N',
      description: 'Fail with 6 if a group is further behind than this',
    },
    ...brokerArgs,
  },
  hasMany: true,
  completes: { group: 'group', topic: 'topic' },
  async run(given) {
    const { args, words, report } = given;
    const max = args.max === undefined ? undefined : integerIn('--max', args.max, 0, Number.MAX_SAFE_INTEGER);
    const everyMs = spanMs('--every', args.every);
    const topics = given.every('topic');
    const look = async (admin: Admin) => {
      const lags = await lagsOf(admin.groups, {
        groupIds: words,
        topics: topics.length === 0 ? undefined : topics,
      });
      show(report, lags, { isByPartition: words.length > 0 });
      return lags;
    };
    await withAdmin({ args, report }, async (admin) => {
      if (!args.watch) return check(await look(admin), max);
      const { signal } = given;
      for (;;) {
        report.clear();
        check(await look(admin), max);
        await pause(everyMs, undefined, { signal }).catch(() => {});
        signal.throwIfAborted();
      }
    });
  },
});

async function lagsOf(
  groups: Admin['groups'],
  { groupIds, topics }: { groupIds: readonly string[]; topics: readonly string[] | undefined },
): Promise<GroupLag[]> {
  if (groupIds.length > 0) return groups.lag(groupIds, { topics });
  const all = (await groups.list()).map(({ groupId }) => groupId);
  try {
    return await groups.lag(all, { topics });
  } catch (error) {
    // One may have been deleted since.
    if (CliError.from(error).code !== 'GROUP_ID_NOT_FOUND') throw error;
    return lagsOf(groups, { groupIds, topics });
  }
}

function show(
  report: Report,
  lags: readonly GroupLag[],
  { isByPartition }: { isByPartition: boolean },
): void {
  if (report.json || !isByPartition) return report.list('groups', lags, GROUP_COLUMNS);
  const rows = lags.flatMap(({ groupId, partitions }) => partitions.map((at) => ({ groupId, ...at })));
  report.list('partitions', rows, PARTITION_COLUMNS);
}

/** @throws CliError */
function check(lags: readonly GroupLag[], max: number | undefined): void {
  const behind = lags.filter((group) => max !== undefined && group.lag > max);
  if (behind.length === 0) return;
  const said = behind.map((group) => `${group.groupId} by ${group.lag}`).join(', ');
  throw new CliError(EXIT.unsatisfied, 'LAG', `behind by more than ${max}: ${said}`);
}
