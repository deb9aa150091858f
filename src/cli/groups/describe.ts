import { counted, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';

/** `milena groups describe` */
export const describe = command({
  name: 'groups describe',
  description: 'Show the state of groups, their members, and what each of these has',
  args: { group: { type: 'positional', required: true, description: 'Names' }, ...brokerArgs },
  hasMany: true,
  completes: { group: 'group' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const groups = await admin.groups.describe(words);
      if (report.json) return report.facts({ groups }, []);
      for (const { groupId, type, state, assignor, members } of groups) {
        const how = assignor === '' ? '' : `, ${assignor}`;
        report.note(`group ${groupId}: ${state}, ${type}${how}, ${counted(members.length, 'member')}`);
      }
      const members = groups.flatMap((group) =>
        group.members.map((member) => ({ groupId: group.groupId, ...member })),
      );
      report.list('members', members, [
        { head: 'group', of: ({ groupId }) => groupId },
        { head: 'client', of: ({ clientId }) => clientId },
        { head: 'host', of: ({ clientHost }) => clientHost },
        { head: 'instance', of: ({ instanceId }) => instanceId },
        { head: 'member', of: ({ memberId }) => memberId },
        {
          head: 'partitions',
          of: ({ assignment }) =>
            Array.from(
              Map.groupBy(assignment, ({ topic }) => topic),
              ([topic, some]) => `${topic}:${some.map(({ partition }) => partition).join(',')}`,
            ).join(' '),
        },
      ]);
    });
  },
});
