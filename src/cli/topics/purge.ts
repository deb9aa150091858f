import { counted, dryRunArgs, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn } from '../options.ts';
import { positionOf } from '../position.ts';
import { PARTITIONS_MAX } from './create.ts';

/** `milena topics purge` */
export const purge = command({
  name: 'topics purge',
  description: 'Delete the oldest records of a topic, or all',
  args: {
    topic: { type: 'positional', required: true, description: 'Name' },
    before: {
      type: 'string',
      default: 'latest',
      valueHint: 'OFFSET|TIME',
      description: 'What stays begins here: 1200, -7d, 2026-11-25; all go unless given',
    },
    partition: { type: 'string', valueHint: 'N', description: 'This one only; may come many times' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { topic: 'topic' },
  async run({ args, every, report }) {
    const before = positionOf('--before', args.before, Date.now());
    const given = every('partition').map((text) => integerIn('--partition', text, 0, PARTITIONS_MAX - 1));
    const partitions = given.length === 0 ? undefined : given;
    const dryRun = args['dry-run'] === true;
    await withAdmin({ args, report }, async (admin) => {
      const [starts, targets] = await withTopics(admin, [args.topic], () =>
        Promise.all([
          admin.offsets.list(args.topic, { at: 'earliest' }),
          admin.records.delete(args.topic, { before, partitions, dryRun: true }),
        ]),
      );
      const startOf = new Map(starts.map(({ partition, offset }) => [partition, offset ?? 0]));
      const rows = targets.map(({ partition, startOffset }) => {
        const from = startOf.get(partition) ?? 0;
        return { topic: args.topic, partition, from, to: startOffset, records: startOffset - from };
      });
      const records = rows.reduce((sum, row) => sum + row.records, 0);
      if (!dryRun) {
        await report.confirm(`delete ${counted(records, 'record')} of ${args.topic}?`);
        await admin.records.delete(args.topic, { before, partitions });
      }
      report.note(`${counted(records, 'record')} ${dryRun ? 'would be deleted' : 'deleted'}`);
      report.list('partitions', rows, [
        { head: 'partition', of: ({ partition }) => partition },
        { head: 'from', of: ({ from }) => from },
        { head: 'to', of: ({ to }) => to },
        { head: 'records', of: (row) => row.records },
      ]);
    });
  },
});
