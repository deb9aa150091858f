import { withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn } from '../options.ts';
import { PARTITIONS_MAX } from './create.ts';

/** `milena topics add-partitions` */
export const addPartitions = command({
  name: 'topics add-partitions',
  description: 'Add partitions: from then on a key may go to another one',
  args: {
    topic: { type: 'positional', required: true, description: 'Name' },
    total: { type: 'string', required: true, valueHint: 'N', description: 'How many there are then' },
    ...brokerArgs,
  },
  completes: { topic: 'topic' },
  async run({ args, report }) {
    const count = integerIn('--total', args.total, 1, PARTITIONS_MAX);
    await withAdmin({ args, report }, async (admin) => {
      await withTopics(admin, [args.topic], () => admin.topics.createPartitions(args.topic, count));
      report.list(
        'topics',
        [{ name: args.topic, partitions: count }],
        [
          { head: 'topic', of: ({ name }) => name },
          { head: 'partitions', of: ({ partitions }) => partitions },
        ],
      );
    });
  },
});
