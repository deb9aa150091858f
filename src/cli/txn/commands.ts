import type { ActiveProducer } from '../../client/admin/active-producers.ts';
import { durationMs } from '../../model/duration.ts';
import { counted, dryRunArgs, momentOf, withAdmin, withTopics } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { integerIn, usage } from '../options.ts';
import type { Report } from '../terminal/report.ts';

const STATES = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'];

/** @throws CliError */
function spanIn(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  throw usage(`--${option} takes a span, not "${text}"`, 'such as 15m, 2h');
}

function showProducers(report: Report, producers: readonly ActiveProducer[]): void {
  report.list('producers', producers, [
    { head: 'topic', of: ({ topic }) => topic },
    { head: 'partition', of: ({ partition }) => partition },
    { head: 'producer', of: ({ producerId }) => producerId },
    { head: 'epoch', of: ({ producerEpoch }) => producerEpoch },
    { head: 'last sequence', of: ({ lastSequence }) => lastSequence },
    { head: 'last written', of: ({ lastTimestamp }) => momentOf(lastTimestamp) },
    { head: 'open from', of: ({ transactionStartOffset }) => transactionStartOffset },
  ]);
}

/** `milena txn ls` */
export const list = command({
  name: 'txn ls',
  description: 'List transactional ids, and how their transactions stand',
  args: {
    state: { type: 'string', valueHint: 'STATE', description: 'Ongoing, …; may come many times' },
    'producer-id': { type: 'string', valueHint: 'ID', description: 'Of this producer; may come many times' },
    'older-than': { type: 'string', valueHint: 'SPAN', description: 'Going on for so long: 15m' },
    pattern: { type: 'string', valueHint: 'REGEX', description: 'Whose id matches it (RE2)' },
    ...brokerArgs,
  },
  completes: { state: STATES },
  async run({ args, every, report }) {
    const olderThan = args['older-than'];
    const filter = {
      states: every('state'),
      producerIds: every('producer-id').map((id) =>
        integerIn('--producer-id', id, 0, Number.MAX_SAFE_INTEGER),
      ),
      ...(olderThan !== undefined && { olderThanMs: spanIn('older-than', olderThan) }),
      ...(args.pattern !== undefined && { pattern: args.pattern }),
    };
    await withAdmin({ args, report }, async ({ transactions }) => {
      report.list('transactions', await transactions.list(filter), [
        { head: 'transactional id', of: ({ transactionalId }) => transactionalId },
        { head: 'producer', of: ({ producerId }) => producerId },
        { head: 'state', of: ({ state }) => state },
      ]);
    });
  },
});

/** `milena txn describe` */
export const describe = command({
  name: 'txn describe',
  description: 'Show what transactions are about: since when they go on, and where they have written',
  args: { id: { type: 'positional', required: true, description: 'Transactional ids' }, ...brokerArgs },
  hasMany: true,
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async ({ transactions }) => {
      report.list('transactions', await transactions.describe(words), [
        { head: 'transactional id', of: ({ transactionalId }) => transactionalId },
        { head: 'state', of: ({ state }) => state },
        { head: 'producer', of: ({ producerId }) => producerId },
        { head: 'epoch', of: ({ producerEpoch }) => producerEpoch },
        { head: 'timeout ms', of: ({ timeoutMs }) => timeoutMs },
        { head: 'since', of: ({ startedAtMs }) => momentOf(startedAtMs) },
        { head: 'coordinator', of: ({ coordinatorId }) => coordinatorId },
        {
          head: 'partitions',
          of: ({ partitions }) => partitions.map(({ topic, partition }) => `${topic}:${partition}`).join(' '),
        },
      ]);
    });
  },
});

/** `milena txn producers` */
export const producers = command({
  name: 'txn producers',
  description: 'Show the producers that partitions of topics know, and where their open transactions begin',
  args: { topic: { type: 'positional', required: true, description: 'Names' }, ...brokerArgs },
  hasMany: true,
  completes: { topic: 'topic' },
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const topics = await withTopics(admin, words, () => admin.topics.describe(words));
      const partitions = topics.flatMap(({ name: topic, partitions: all }) =>
        all.map(({ partition }) => ({ topic, partition })),
      );
      showProducers(report, await admin.transactions.producers(partitions));
    });
  },
});

/** `milena txn hanging` */
export const hanging = command({
  name: 'txn hanging',
  description: 'Find open transactions that no coordinator will end: read_committed gets no further there',
  args: {
    topic: { type: 'positional', required: false, description: 'Names; all topics unless given' },
    'older-than': { type: 'string', valueHint: 'SPAN', description: 'Silent for so long', default: '15m' },
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic' },
  async run({ args, words, report }) {
    const olderThan = spanIn('older-than', args['older-than']);
    await withAdmin({ args, report }, async (admin) => {
      const find = () =>
        admin.transactions.hanging({ olderThan, ...(words.length > 0 && { topics: words }) });
      showProducers(report, await withTopics(admin, words, find));
    });
  },
});

/** `milena txn abort` */
export const abort = command({
  name: 'txn abort',
  description: 'End a hanging transaction in one partition: what it wrote there is aborted',
  args: {
    topic: { type: 'positional', required: true, description: 'Name' },
    partition: { type: 'string', valueHint: 'N', required: true, description: 'Number of the partition' },
    from: {
      type: 'string',
      valueHint: 'OFFSET',
      required: true,
      description: 'Where the transaction begins, as `txn hanging` says',
    },
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { topic: 'topic' },
  async run({ args, report }) {
    const partition = integerIn('--partition', args.partition, 0, 2 ** 31 - 1);
    const from = integerIn('--from', args.from, 0, Number.MAX_SAFE_INTEGER);
    const at = { topic: args.topic, partition };
    await withAdmin({ args, report }, async (admin) => {
      const all = await withTopics(admin, [args.topic], () => admin.transactions.producers([at]));
      const found = all.find(({ transactionStartOffset }) => transactionStartOffset === from);
      if (found === undefined)
        throw new CliError(
          EXIT.notFound,
          'INVALID_TXN_STATE',
          `no transaction is open from offset ${from} of ${args.topic}/${partition}`,
          'look where they begin',
          `milena txn producers ${args.topic}`,
        );
      if (args['dry-run'] !== true) {
        await report.confirm(
          `abort what producer ${found.producerId} wrote from offset ${from} of ${args.topic}?`,
        );
        await admin.transactions.abort(found);
      }
      showProducers(report, [found]);
    });
  },
});

/** `milena txn fence` */
export const fence = command({
  name: 'txn fence',
  description: 'Take transactional ids away from their producers: what goes on is aborted',
  args: {
    id: { type: 'positional', required: true, description: 'Transactional ids' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  async run({ args, words, report }) {
    await withAdmin({ args, report }, async ({ transactions }) => {
      const isDry = args['dry-run'] === true;
      if (!isDry) {
        await report.confirm(`fence the producers of ${counted(words.length, 'transactional id')}?`);
        await transactions.fence(words);
      }
      const outcome = isDry ? 'would be fenced' : 'fenced';
      report.list(
        'transactions',
        words.map((transactionalId) => ({ transactionalId, outcome })),
        [
          { head: 'transactional id', of: ({ transactionalId }) => transactionalId },
          { head: 'outcome', of: (each) => each.outcome },
        ],
      );
    });
  },
});
