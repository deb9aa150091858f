import type { ArgsDef } from 'citty';
import type { Client } from '../../client/client.ts';
import { brokerArgs, connectTo } from '../broker.ts';
import { type Command, command } from '../command.ts';
import { integerIn } from '../options.ts';
import { writingArgs, writingOptions } from '../produce/choices.ts';
import { type Measured, tell } from './result.ts';
import { measureConsume, measureE2e, measureProduce, type Setup } from './runs.ts';

const args = {
  ...brokerArgs,
  topic: {
    type: 'string',
    alias: 't',
    valueHint: 'NAME',
    description: 'One that is there; else one is made, and deleted at the end',
  },
  partitions: { type: 'string', default: '1', valueHint: 'N', description: 'Of the topic that is made' },
  size: { type: 'string', default: '1024', valueHint: 'BYTES', description: 'Of a value' },
  seed: { type: 'string', default: '1', valueHint: 'N', description: 'The same seed sends the same records' },
  ...writingArgs('0'),
} satisfies ArgsDef;

const RECORDS_MAX = 1_000_000_000;
const SIZE_MAX = 1_000_000;

/** `milena bench produce` */
export const produce = bench('produce', {
  description: 'How fast records are acknowledged',
  records: '500000',
  measure: measureProduce,
});

/** `milena bench consume` */
export const consume = bench('consume', {
  description: 'How fast records are read, once they are written',
  records: '500000',
  measure: measureConsume,
});

/** `milena bench e2e` */
export const e2e = bench('e2e', {
  description: 'How long a record takes from producer to consumer, at a steady rate',
  records: '10000',
  more: { rate: { type: 'string', default: '1000', valueHint: 'N', description: 'Records a second' } },
  measure: (setup, { rate }) => measureE2e(setup, integerIn('--rate', String(rate), 1, 1_000_000)),
});

interface Bench {
  description: string;
  /** How many, unless given. */
  records: string;
  more?: ArgsDef;
  measure: (setup: Setup, given: { readonly [name: string]: unknown }) => Promise<Measured>;
}

function bench(name: string, { description, records, more = {}, measure }: Bench): Command {
  const howMany = {
    type: 'string',
    default: records,
    alias: 'n',
    valueHint: 'N',
    description: 'How many',
  } as const;
  return command({
    name: `bench ${name}`,
    description,
    args: { records: howMany, ...args, ...more },
    completes: { topic: 'topic', context: 'context' },
    async run({ args: given, report, signal }) {
      const seed = integerIn('--seed', given.seed, 0, 0x7fff_ffff);
      const partitions = integerIn('--partitions', given.partitions, 1, 10_000);
      const setup = {
        seed,
        records: integerIn('--records', given.records, 1, RECORDS_MAX),
        size: integerIn('--size', given.size, 1, SIZE_MAX),
        producer: writingOptions(given),
      };
      await using client = await connectTo(given, { report, signal });
      await onTopic(client, { name: given.topic, partitions }, async (topic) => {
        const progress = report.progress('through');
        const measured = await measure({ ...setup, client, topic, progress, signal }, given).finally(() =>
          progress.end(),
        );
        tell(measured, report);
      });
    },
  });
}

/** On the topic that is named; else on one of its own, which is deleted whatever happens. */
async function onTopic(
  { admin }: Client,
  { name, partitions }: { name: string | undefined; partitions: number },
  work: (topic: string) => Promise<void>,
): Promise<void> {
  if (name !== undefined) return work(name);
  const { name: made } = await admin.topics.create(`milena-bench-${process.pid}`, { partitions });
  try {
    await work(made);
  } finally {
    await admin.topics.delete(made);
  }
}
