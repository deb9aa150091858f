import { dryRunArgs, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';

/** `milena groups rm` */
export const remove = command({
  name: 'groups rm',
  description: 'Delete groups without members, and where they were',
  args: {
    group: { type: 'positional', required: true, description: 'Names' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  completes: { group: 'group' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async ({ groups }) => {
      const described = await groups.describe(words);
      const busy = described.find(({ members }) => members.length > 0);
      if (busy !== undefined)
        throw new CliError(
          EXIT.failure,
          'NON_EMPTY_GROUP',
          `group ${busy.groupId} has members: they would go on`,
          'stop its consumers first',
          `milena groups describe ${busy.groupId}`,
        );
      const isDry = args['dry-run'] === true;
      if (!isDry) {
        await report.confirm(`delete ${words.length === 1 ? 'group' : 'groups'} ${words.join(', ')}?`);
        await groups.delete(words);
      }
      const outcome = isDry ? 'would be deleted' : 'deleted';
      report.list(
        'groups',
        words.map((groupId) => ({ groupId, outcome })),
        [
          { head: 'group', of: ({ groupId }) => groupId },
          { head: 'outcome', of: (each) => each.outcome },
        ],
      );
    });
  },
});
