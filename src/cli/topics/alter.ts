import type { ConfigValue } from '../../client/admin/configs.ts';
import { spanMs } from '../../client/admin/span.ts';
import { dryRunArgs, pairsIn, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { usage } from '../options.ts';
import { showChanges } from '../configs/changes.ts';
import { settingArgs } from './create.ts';

/** `milena topics alter` */
export const alter = command({
  name: 'topics alter',
  description: 'Change settings of a topic',
  args: {
    topic: { type: 'positional', required: true, description: 'Name' },
    ...settingArgs,
    unset: { type: 'string', valueHint: 'KEY', description: 'A setting that goes back to its default' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { topic: 'topic' },
  async run({ args, every, report }) {
    const changes: Record<string, ConfigValue | null> = pairsIn('--config', every('config'));
    if (args.retention !== undefined) changes['retention.ms'] = spanMs('--retention', args.retention);
    for (const name of every('unset')) changes[name] = null;
    if (Object.keys(changes).length === 0)
      throw usage('there is nothing to change', 'say --config KEY=VALUE, --retention SPAN or --unset KEY');
    const dryRun = args['dry-run'] === true;
    await withAdmin({ args, report }, async (admin) => {
      await withTopics(admin, [args.topic], () =>
        admin.configs.alter({ topic: args.topic }, changes, { dryRun }),
      );
      showChanges(report, changes, { dryRun });
    });
  },
});
