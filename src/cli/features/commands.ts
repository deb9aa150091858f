import { dryRunArgs, pairsIn, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn, oneOf } from '../options.ts';

const LEVEL_MAX = 0x7fff;
const DOWNGRADES = ['safe', 'unsafe'] as const;

/** `milena features ls` */
export const list = command({
  name: 'features ls',
  description: 'List features of the cluster and their levels',
  args: { ...brokerArgs },
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ features }) => {
      report.list('features', await features.list(), [
        { head: 'feature', of: ({ name }) => name },
        { head: 'level', of: ({ level }) => level },
        { head: 'lowest', of: ({ min }) => min },
        { head: 'highest', of: ({ max }) => max },
      ]);
    });
  },
});

/** `milena features set` */
export const set = command({
  name: 'features set',
  description: 'Move features to other levels, all that are named or none',
  args: {
    pair: { type: 'positional', required: true, description: 'NAME=LEVEL; 0 turns it off' },
    downgrade: {
      type: 'string',
      valueHint: 'safe|unsafe',
      description: 'Levels may go down: if nothing is lost by it, or at any price',
    },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  completes: { downgrade: DOWNGRADES },
  async run({ args, words, report }) {
    const pairs = Object.entries(pairsIn('features set', words));
    const levels = pairs.map(([name, level]): [string, number] => [
      name,
      integerIn(name, level, 0, LEVEL_MAX),
    ]);
    const downgrade =
      args.downgrade === undefined ? undefined : oneOf('--downgrade', args.downgrade, DOWNGRADES);
    const dryRun = args['dry-run'] === true;
    await withAdmin({ args, report }, async ({ features }) => {
      await features.update(Object.fromEntries(levels), { downgrade, dryRun });
      const outcome = dryRun ? 'would be set' : 'set';
      report.list(
        'features',
        levels.map(([name, level]) => ({ name, level, outcome })),
        [
          { head: 'feature', of: ({ name }) => name },
          { head: 'level', of: ({ level }) => level },
          { head: 'outcome', of: (each) => each.outcome },
        ],
      );
    });
  },
});
