import type { ArgsDef } from 'citty';
import { Cluster } from '../client/cluster.ts';
import { BrokerError, RefusedError } from '../client/errors.ts';
import { IdempotentWriter, WriteFailed } from '../client/idempotent-writer.ts';
import { Broker } from '../hosts/node/broker.ts';
import { clientClock } from '../hosts/node/clock.ts';
import { nodeRandom } from '../hosts/node/random.ts';
import { loadKernels } from '../kernels/load.ts';
import { ErrorCode } from '../model/errors.ts';
import { createTopicsApi } from '../wire/apis/19-create-topics.ts';
import { type BrokerArgs, brokerArgs } from './broker.ts';
import { command } from './command.ts';
import { targetOf } from './contexts/target.ts';
import { storedNodeId } from './directory.ts';
import { CliError, EXIT } from './errors.ts';
import { integerIn, oneOf } from './options.ts';
import { BadInput, type Round, roundsOfLines, roundsOfRaw } from './transfer/import-source.ts';
import type { Progress } from './terminal/progress.ts';
import type { Report } from './terminal/report.ts';
import { connectToAddress, connectToTarget, noTopicAt, partitionsAt } from './transfer/topic-at.ts';

const CREATE_VERSIONS = { min: 2, max: 7 };

const args = {
  topic: {
    type: 'positional',
    required: true,
    description: 'Topic to write to, whatever it was called before',
  },
  ...brokerArgs,
  data: {
    type: 'string',
    valueHint: 'DIR',
    description: 'Write into the directory of a node that does not run',
  },
  format: {
    type: 'enum',
    options: ['ndjson', 'raw'],
    default: 'ndjson',
    description: 'What stdin holds, as `milena export` wrote it',
  },
  partitions: {
    type: 'string',
    valueHint: 'N',
    description: 'Make the topic, with so many, when it is not there',
  },
  skip: {
    type: 'string',
    default: '0',
    valueHint: 'N',
    description: 'Records at the start that are there already',
  },
} satisfies ArgsDef;

const PARTITIONS_MAX = 10_000;

/** `milena import`: from stdin into a topic. Partitions, timestamps, headers and order stay; offsets are new. */
export const importTopic = command({
  name: 'import',
  description: 'Append records from stdin to a topic',
  args,
  completes: { topic: 'topic', data: 'file' },
  async run({ args: given, report }) {
    const format = oneOf('--format', given.format, ['ndjson', 'raw'] as const);
    const skip = integerIn('--skip', given.skip, 0, Number.MAX_SAFE_INTEGER);
    const create =
      given.partitions === undefined
        ? undefined
        : integerIn('--partitions', given.partitions, 1, PARTITIONS_MAX);
    if (process.stdin.isTTY)
      throw new CliError(EXIT.usage, 'USAGE', 'records come from stdin', 'milena import TOPIC < FILE');
    const kernels = await loadKernels();
    const target = await openTarget(given);
    try {
      const { cluster } = target;
      const { topic } = given;
      const partitions = await partitionsFor(cluster, topic, create);
      const writer = new IdempotentWriter({
        cluster,
        topic,
        kernels,
        clock: clientClock,
        random: nodeRandom,
      });
      const rounds = (format === 'raw' ? roundsOfRaw : roundsOfLines)(process.stdin, {
        kernels,
        partitions,
        skip,
      });
      await new Import(writer, { skipped: skip, report }).run(rounds);
    } finally {
      await target.close();
    }
  },
});

interface Target {
  cluster: Cluster;
  close(): Promise<void>;
}

/** A directory is written by the node it belongs to, started for us alone: there is no second way in. */
async function openTarget({ data, ...broker }: BrokerArgs & { data?: string | undefined }): Promise<Target> {
  if (data === undefined) {
    const cluster = await connectToTarget(await targetOf(broker));
    return { cluster, close: async () => cluster.close() };
  }
  const node = await Broker.start({ directory: data, nodeId: await storedNodeId(data) });
  const cluster = await connectToAddress(node.kafka);
  return {
    cluster,
    close: async () => {
      cluster.close();
      await node.close();
    },
  };
}

async function partitionsFor(cluster: Cluster, topic: string, create: number | undefined): Promise<number> {
  const found = await partitionsAt(cluster, topic);
  if (found !== undefined) return found;
  if (create === undefined) throw await noTopicAt(cluster, topic, 'make it with --partitions N');
  await createTopic(cluster, topic, create);
  return create;
}

/** @throws BrokerError when it cannot be made. */
async function createTopic(cluster: Cluster, name: string, numPartitions: number): Promise<void> {
  const topic = { name, numPartitions, replicationFactor: -1, assignments: [], configs: [] };
  const broker = await cluster.anyBroker();
  const { topics } = await broker.request(createTopicsApi, CREATE_VERSIONS, { topics: [topic] });
  cluster.forget(name);
  const made = topics.find((one) => one.name === name);
  const errorCode = made?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, name, made?.errorMessage);
}

/** Counts what is acknowledged, to say exactly where it stopped. */
class Import {
  readonly #writer: IdempotentWriter;
  readonly #skipped: number;
  readonly #report: Report;
  readonly #progress: Progress;
  /** Rounds that are not acknowledged in full, oldest first, and what of each is. */
  readonly #open: { round: Round; acknowledged: Set<number> }[] = [];
  #through = 'nothing';

  constructor(writer: IdempotentWriter, { skipped, report }: { skipped: number; report: Report }) {
    this.#report = report;
    this.#progress = report.progress('imported');
    this.#writer = writer;
    this.#skipped = skipped;
  }

  async run(rounds: AsyncIterable<Round>): Promise<void> {
    process.once('SIGINT', () => {
      console.error(this.#stopped(new CliError(EXIT.interrupted, 'INTERRUPTED', 'interrupted')).text());
      process.exit(EXIT.interrupted);
    });
    try {
      for await (const round of rounds) await this.#write(round);
      await this.#writer.drain();
    } catch (error) {
      // What was read before the fault is on its way, and may well arrive.
      const failed =
        error instanceof BadInput ? await this.#writer.drain().catch((late: unknown) => late) : error;
      throw this.#stopped(failed ?? error);
    } finally {
      this.#progress.end();
    }
    this.#report.note(`imported ${this.#progress.records} records`);
  }

  async #write(round: Round): Promise<void> {
    const open = { round, acknowledged: new Set<number>() };
    this.#open.push(open);
    await this.#writer.write(round.batches, (partition) => {
      open.acknowledged.add(partition);
      this.#settle();
    });
  }

  #settle(): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) {
      if (first.acknowledged.size < first.round.batches.size) return;
      this.#open.shift();
      this.#through = first.round.through;
      this.#progress.add(first.round.records);
    }
  }

  #stopped(error: unknown): CliError {
    const known = CliError.from(error);
    const { exitCode } = error instanceof BadInput ? { exitCode: EXIT.failure } : known;
    const code = error instanceof BadInput ? 'BAD_INPUT' : 'IMPORT_STOPPED';
    const kept = this.#skipped + this.#progress.records;
    const last = this.#open.at(-1)?.round.through;
    const hint = [
      `${this.#progress.records} records are in the topic, up to ${this.#through}; go on with --skip ${kept}`,
      ...this.#beyond().map((said) => `${said}, which would come twice`),
      ...(last === undefined ? [] : [`what was on its way, up to ${last}, may be there too`]),
    ];
    return new CliError(exitCode, code, `${this.#placeOf(error)}${known.message}`, hint.join('\n  '));
  }

  /** What is acknowledged behind the first that is not: by partition, since each goes its own way. */
  #beyond(): string[] {
    return this.#open.flatMap(({ round: { through }, acknowledged }) =>
      [...acknowledged].map((partition) => `beyond that: partition ${partition} up to ${through}`),
    );
  }

  /** The line of the record, or the byte of the batch, that a broker refused. */
  #placeOf(error: unknown): string {
    if (!(error instanceof WriteFailed)) return '';
    const { recordIndex } = error.why instanceof RefusedError ? error.why : {};
    const open = this.#open.find(
      ({ round, acknowledged }) => round.places.has(error.partition) && !acknowledged.has(error.partition),
    );
    const place = open?.round.places.get(error.partition)?.(recordIndex ?? 0);
    return place === undefined ? '' : `${place}: `;
  }
}
