import type { ConfigResourceKind } from '../../client/admin/configs.ts';
import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { usage } from '../options.ts';

const KINDS: Readonly<Record<string, ConfigResourceKind>> = {
  topic: 'topic',
  broker: 'broker',
  group: 'group',
  'client-metrics': 'clientMetrics',
};

/** `milena configs resources` */
export const resources = command({
  name: 'configs resources',
  description:
    'List what has settings: topics, brokers, and groups and client metrics on which something is set',
  args: {
    kind: {
      type: 'string',
      valueHint: 'KIND',
      description: 'topic, broker, group, client-metrics; may come many times',
    },
    ...brokerArgs,
  },
  completes: { kind: Object.keys(KINDS) },
  async run({ args, every, report }) {
    const kinds = every('kind').map((kind) => {
      if (Object.hasOwn(KINDS, kind)) return KINDS[kind]!;
      throw usage(`--kind takes ${Object.keys(KINDS).join(', ')}, not "${kind}"`);
    });
    await withAdmin({ args, report }, async ({ configs }) => {
      const found = await configs.resources(kinds.length === 0 ? {} : { kinds });
      report.list('resources', found, [
        { head: 'kind', of: ({ kind }) => kind },
        { head: 'name', of: ({ name }) => name },
      ]);
    });
  },
});
