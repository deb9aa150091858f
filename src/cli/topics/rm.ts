import { counted, dryRunArgs, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';

/** `milena topics rm` */
export const remove = command({
  name: 'topics rm',
  description: 'Delete topics with all their records',
  args: {
    topic: { type: 'positional', required: true, description: 'Names' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const topics = await withTopics(admin, words, async () => {
        const ends = await admin.offsets.list(words, { at: 'latest' });
        const starts = await admin.offsets.list(words, { at: 'earliest' });
        return words.map((name) => ({
          name,
          records: ends.reduce(
            (sum, { topic, offset }, at) =>
              topic === name ? sum + (offset ?? 0) - (starts[at]?.offset ?? 0) : sum,
            0,
          ),
        }));
      });
      const isDry = args['dry-run'] === true;
      if (!isDry) {
        const said = topics
          .map(({ name, records }) => `${name} with ${counted(records, 'record')}`)
          .join(', ');
        await report.confirm(`delete ${said}?`);
        await withTopics(admin, words, () => admin.topics.delete(words));
      }
      const outcome = isDry ? 'would be deleted' : 'deleted';
      report.list(
        'topics',
        topics.map((topic) => ({ ...topic, outcome })),
        [
          { head: 'topic', of: ({ name }) => name },
          { head: 'records', of: ({ records }) => records },
          { head: 'outcome', of: (each) => each.outcome },
        ],
      );
    });
  },
});
