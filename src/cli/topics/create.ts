import type { Admin } from '../../client/admin/admin.ts';
import type { NewTopicOptions } from '../../client/admin/topics.ts';
import { pairsIn, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn } from '../options.ts';
import type { Column } from '../terminal/table.ts';

/** More is a slip of the keyboard. */
export const PARTITIONS_MAX = 100_000;
export const REPLICAS_MAX = 0x7fff;

/** What a topic can be made with. */
export const settingArgs = {
  config: {
    type: 'string',
    alias: 'c',
    valueHint: 'KEY=VALUE',
    description: "A setting, by Kafka's name; may come many times",
  },
  retention: {
    type: 'string',
    valueHint: 'SPAN',
    description: 'How long records stay: 7d, 12h; retention.ms',
  },
} as const;

/** `milena topics create` */
export const create = command({
  name: 'topics create',
  description: 'Create topics',
  args: {
    topic: { type: 'positional', required: true, description: 'Names' },
    partitions: {
      type: 'string',
      alias: 'p',
      valueHint: 'N',
      description: "Unless given, the broker's default",
    },
    replicas: {
      type: 'string',
      alias: 'r',
      valueHint: 'N',
      description: "Unless given, the broker's default",
    },
    ...settingArgs,
    'if-not-exists': {
      type: 'boolean',
      description: 'No error if it is there; missing partitions are added, settings changed',
    },
    ...brokerArgs,
  },
  hasMany: true,
  async run({ args, words, every, report }) {
    const { partitions, replicas, retention } = args;
    const wanted = {
      partitions:
        partitions === undefined ? undefined : integerIn('--partitions', partitions, 1, PARTITIONS_MAX),
      replicationFactor:
        replicas === undefined ? undefined : integerIn('--replicas', replicas, 1, REPLICAS_MAX),
      configs: pairsIn('--config', every('config')),
      retention,
    };
    await withAdmin({ args, report }, async ({ topics }) => {
      const done: Made[] = [];
      try {
        for (const name of words)
          done.push(await makeTopic(topics, name, { ...wanted, isEnsured: args['if-not-exists'] }));
      } finally {
        // Also when the next one could not be made: these are there.
        if (done.length > 0) report.list('topics', done, COLUMNS);
      }
    });
  },
});

interface Made {
  name: string;
  id: string;
  partitions: number;
  replicationFactor: number;
  outcome: 'created' | 'changed' | 'unchanged';
}

const COLUMNS: readonly Column<Made>[] = [
  { head: 'topic', of: ({ name }) => name },
  { head: 'partitions', of: ({ partitions }) => partitions },
  { head: 'replicas', of: ({ replicationFactor }) => replicationFactor },
  { head: 'outcome', of: ({ outcome }) => outcome },
];

export async function makeTopic(
  topics: Admin['topics'],
  name: string,
  { isEnsured = false, ...wanted }: NewTopicOptions & { isEnsured?: boolean | undefined },
): Promise<Made> {
  const outcome = isEnsured ? await topics.ensure(name, wanted) : 'created';
  const { id, partitions } = isEnsured ? await topics.describe(name) : await topics.create(name, wanted);
  const replicationFactor = partitions[0]?.replicas.length ?? 0;
  return { name, id, partitions: partitions.length, replicationFactor, outcome };
}
