import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';

/** `milena groups ls` */
export const list = command({
  name: 'groups ls',
  description: 'List consumer groups',
  args: {
    state: {
      type: 'string',
      valueHint: 'STATE',
      description: 'Stable, Empty, PreparingRebalance, …; may come many times',
    },
    type: { type: 'string', valueHint: 'TYPE', description: 'classic, consumer; may come many times' },
    ...brokerArgs,
  },
  completes: { state: ['Stable', 'Empty', 'PreparingRebalance'], type: ['classic', 'consumer'] },
  async run({ args, every, report }) {
    await withAdmin({ args, report }, async ({ groups }) => {
      report.list('groups', await groups.list({ states: every('state'), types: every('type') }), [
        { head: 'group', of: ({ groupId }) => groupId },
        { head: 'state', of: ({ state }) => state },
        { head: 'type', of: ({ type }) => type },
        { head: 'protocol', of: ({ protocolType }) => protocolType },
      ]);
    });
  },
});
