import type { ArgsDef } from 'citty';
import type { Position } from '../../client/fetch/position.ts';
import type { ReadOptions } from '../../client/read.ts';
import { brokerArgs, connectTo, mustHaveTopics, watch } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn, usage } from '../options.ts';
import { beginOf, positionOf } from '../position.ts';
import { hasColours, type Report } from '../terminal/report.ts';
import { ReaderGone } from '../terminal/output.ts';
import { asJson, asValue, type Format, forTerminal, template } from './format.ts';
import { GroupPrinter } from './group-printer.ts';
import { Printer } from './printer.ts';
import { SharePrinter } from './share-printer.ts';
import { Sink } from './sink.ts';
import { Tail } from './tail.ts';
import { filterOf } from './where.ts';

const args = {
  topic: { type: 'positional', required: true, description: 'Topics to read' },
  ...brokerArgs,
  from: {
    type: 'string',
    valueHint: 'OFFSET|TIME',
    description:
      'First to read: earliest (the default), latest, 1200, -20 from the end, -90m, 2026-11-25T12:00Z',
  },
  to: { type: 'string', valueHint: 'OFFSET|TIME', description: 'Where to stop, itself not read' },
  group: {
    type: 'string',
    alias: 'g',
    valueHint: 'NAME',
    description: 'As a member of a group, from where it stands; what was printed is committed',
  },
  'share-group': {
    type: 'string',
    valueHint: 'NAME',
    description: 'As a member of a share group; what was printed is accepted',
  },
  tail: { type: 'string', valueHint: 'N', description: 'Only the N newest, then what comes' },
  exit: { type: 'boolean', alias: 'e', description: 'Stop at the end as it is now; else wait for more' },
  count: { type: 'string', alias: 'n', valueHint: 'N', description: 'Stop after so many' },
  partition: { type: 'string', alias: 'p', valueHint: 'N', description: 'This partition only' },
  where: {
    type: 'string',
    alias: 'w',
    valueHint: 'EXPRESSION',
    description: "Only records that match: value.eur > 9 && headers.source == 'web'",
  },
  format: {
    type: 'string',
    alias: 'f',
    valueHint: 'TEMPLATE',
    description: String.raw`A record as text: '%o %k %v\n'; %t %p %K %S %T %d %h are the rest`,
  },
  raw: { type: 'boolean', alias: 'r', description: 'Values alone, a line each, as they are' },
  committed: { type: 'boolean', description: 'Nothing of transactions that are open or were aborted' },
} satisfies ArgsDef;

/** `milena consume`: records to stdout. */
export const consume = command({
  name: 'consume',
  description: 'Read records of topics: one a line, as JSON in a pipe',
  args,
  hasMany: true,
  completes: { topic: 'topic', group: 'group', 'share-group': 'group' },
  async run({ args: given, words: topics, report, signal }) {
    const options = readOptions(given);
    const format = formatOf(given, report);
    const filter = given.where === undefined ? undefined : filterOf(given.where);
    const tail = given.tail === undefined ? undefined : integerIn('--tail', given.tail, 1, TAIL_MAX);
    const countMax = given.count === undefined ? Infinity : integerIn('--count', given.count, 1, COUNT_MAX);
    const client = await connectTo(given, { report, signal });
    using _ = watch(client, report);
    try {
      await mustHaveTopics(client.admin, topics, signal);
      const sink = new Sink({ output: report.output, format, filter, countMax });
      const shareGroup = given['share-group'];
      if (shareGroup !== undefined) {
        const consumer = client.shareConsumer({ group: shareGroup, topics, acknowledge: 'explicit' });
        const isDone = async () => {
          const { partitions } = await client.admin.groups.lag(shareGroup, { signal });
          return partitions.length > 0 && partitions.every(({ lag }) => lag === 0);
        };
        await new SharePrinter(consumer, { sink, exits: given.exit ?? false, isDone }).print(signal);
      } else if (given.group === undefined) {
        const printer = new Printer({ sink, report, signal });
        const newest = tail === undefined ? undefined : new Tail(tail, format);
        await printer.print(client.read(topics, { ...options, signal }), newest);
      } else {
        const { from, isolation } = options;
        // Positions are committed when their records have been printed, and not before.
        const consumer = client.consumer({ group: given.group, topics, from, isolation, autoCommit: false });
        await new GroupPrinter(consumer, { sink, exits: given.exit ?? false }).print(signal);
      }
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error;
    } finally {
      await client.close();
    }
  },
});

const TAIL_MAX = 1_000_000;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;

interface Given {
  from?: string | undefined;
  group?: string | undefined;
  'share-group'?: string | undefined;
  to?: string | undefined;
  tail?: string | undefined;
  exit?: boolean | undefined;
  partition?: string | undefined;
  committed?: boolean | undefined;
  format?: string | undefined;
  raw?: boolean | undefined;
}

function readOptions(given: Given): ReadOptions & { from: Position } {
  const nowMs = Date.now();
  const alone = (['to', 'tail', 'partition'] as const).find((name) => given[name] !== undefined);
  if (given.group !== undefined && alone !== undefined)
    throw usage(`--${alone} does not go with --group, whose members share all there is`);
  const unshared = (['group', 'from', 'to', 'tail', 'partition', 'committed'] as const).find(
    (name) => given[name] !== undefined,
  );
  if (given['share-group'] !== undefined && unshared !== undefined)
    throw usage(`--${unshared} does not go with --share-group, whose settings say where it begins`);
  const { from, to, tail, partition } = given;
  if (tail !== undefined && (from ?? to) !== undefined)
    throw usage('--tail says where to begin: --from and --to do not go with it');
  const begin = tail === undefined ? (from ?? 'earliest') : `-${tail}`;
  return {
    from: beginOf('--from', begin, nowMs),
    ...(to === undefined ? {} : { to: positionOf('--to', to, nowMs) }),
    ...(partition === undefined ? {} : { partitions: [integerIn('--partition', partition, 0, 0x7fff_ffff)] }),
    live: !given.exit,
    isolation: given.committed ? 'read_committed' : 'read_uncommitted',
  };
}

function formatOf(given: Given, report: Report): Format {
  const wanted = [given.format !== undefined, given.raw, report.json].filter(Boolean);
  if (wanted.length > 1) throw usage('--format, --raw and --json exclude each other');
  if (given.format !== undefined) return template(given.format);
  if (given.raw) return asValue;
  return process.stdout.isTTY && !report.json ? forTerminal(hasColours(process.stdout)) : asJson;
}
