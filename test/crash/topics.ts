import { metadataApi, type MetadataResponse } from '../../src/wire/apis/03-metadata.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { type Connection, ConnectionLost } from './connection.ts';
import { type LogLedger, valueOf } from './log-ledger.ts';
import type { RoundProgress } from './round.ts';
import type { Target } from './writer.ts';

interface Topic {
  id: string;
  partitions: number;
}

export interface NewTopic {
  name: string;
  partitions: number;
  configs?: Record<string, string>;
}

interface TopicsParts {
  kernels: Kernels;
  ledger: LogLedger;
  onFault: (fault: string) => void;
}

const TOPIC_ALREADY_EXISTS = 36;
/** By topic id. */
const PRODUCE_VERSION = 13;
const WRITER = 'first';
const FIRST_RECORDS = 3;

/** The topics that must be there, with their ids, through all lives of the broker; and those that may be. */
export class Topics {
  readonly #known = new Map<string, Topic>();
  /** Being created or deleted when the broker died. */
  readonly #unsure = new Set<string>();
  readonly #parts: TopicsParts;
  #clusterId: string | null | undefined;

  constructor(parts: TopicsParts) {
    this.#parts = parts;
    parts.ledger.addWriter(WRITER, { exact: false });
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** Their partitions, and what the ledger calls their logs: a topic made again under its old name has new ones. */
  logs(isWanted: (name: string) => boolean): { target: Target; log: string }[] {
    return [...this.#known]
      .filter(([name]) => isWanted(name))
      .flatMap(([topic, { id, partitions }]) =>
        Array.from({ length: partitions }, (_, partition) => ({
          target: { topic, partition },
          log: firstLog(id, partition),
        })),
      );
  }

  async create(
    connection: Connection,
    { name, partitions, configs = {} }: NewTopic,
    progress?: RoundProgress,
  ): Promise<void> {
    this.#unsure.add(name);
    const answer = await this.#ask(() =>
      connection.request(createTopicsApi, 7, {
        topics: [
          {
            name,
            numPartitions: partitions,
            replicationFactor: 1,
            assignments: [],
            configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
          },
        ],
      }),
    );
    const created = answer?.topics[0];
    if (created === undefined) return;
    this.#unsure.delete(name);
    if (created.errorCode === 0) this.#known.set(name, { id: created.topicId, partitions });
    else if (created.errorCode !== TOPIC_ALREADY_EXISTS)
      this.#parts.onFault(`${name} was not created: error ${created.errorCode}`);
    progress?.acked();
  }

  /** Writes the first records of a topic: only now its logs are made. */
  async writeFirst(connection: Connection, name: string, progress: RoundProgress): Promise<void> {
    const topic = this.#known.get(name);
    if (topic === undefined) return;
    const { kernels, ledger, onFault } = this.#parts;
    const first = { writer: WRITER, number: 0 };
    const records = Array.from({ length: FIRST_RECORDS }, (_, number) => ({
      value: valueOf({ writer: WRITER, number }),
      timestamp: Date.now(),
    }));
    const batch = buildBatch(kernels, { records });
    for (let index = 0; index < topic.partitions; index++) {
      const log = firstLog(topic.id, index);
      ledger.sent(log, first, FIRST_RECORDS);
      const answer = await this.#ask(() =>
        connection.request(produceApi, PRODUCE_VERSION, {
          acks: -1,
          timeoutMs: 30_000,
          topicData: [{ topicId: topic.id, partitionData: [{ index, records: batch }] }],
        }),
      );
      const written = answer?.responses[0]?.partitionResponses[0];
      if (written === undefined) return;
      const { errorCode, baseOffset } = written;
      if (errorCode !== 0) onFault(`${name}-${index} takes no records: error ${errorCode}`);
      else ledger.acked(log, first, { count: FIRST_RECORDS, baseOffset });
      progress.acked();
    }
  }

  async delete(connection: Connection, name: string, progress: RoundProgress): Promise<void> {
    this.#unsure.add(name);
    const answer = await this.#ask(() =>
      connection.request(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 30_000 }),
    );
    const deleted = answer?.responses[0];
    if (deleted === undefined) return;
    this.#unsure.delete(name);
    if (deleted.errorCode === 0) this.#known.delete(name);
    else this.#parts.onFault(`${name} was not deleted: error ${deleted.errorCode}`);
    progress.acked();
  }

  async #ask<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      return undefined;
    }
  }

  /** Holds what the broker says of itself now against what it has acknowledged. */
  async check(connection: Connection): Promise<void> {
    const metadata = await connection.request(metadataApi, 12, { topics: null });
    this.#clusterId ??= metadata.clusterId;
    if (metadata.clusterId !== this.#clusterId)
      this.#parts.onFault(`the cluster is now ${metadata.clusterId}`);
    const found = new Map(metadata.topics.map((topic) => [topic.name ?? '', topic]));
    for (const name of this.#unsure) this.#settle(name, found.get(name));
    this.#unsure.clear();
    for (const [name, { id, partitions }] of this.#known) {
      const topic = found.get(name);
      if (topic === undefined) this.#parts.onFault(`topic ${name} is gone`);
      else if (topic.topicId !== id) this.#parts.onFault(`topic ${name} was ${id} and is ${topic.topicId}`);
      else if (topic.partitions.length !== partitions)
        this.#parts.onFault(`topic ${name} has ${topic.partitions.length} partitions`);
    }
    for (const [name, topic] of found) {
      if (!this.#known.has(name) && !topic.isInternal)
        this.#parts.onFault(`topic ${name} is there and should not be`);
    }
  }

  /** From now on it is what the broker says: nobody was told. But a topic never comes back under another id. */
  #settle(name: string, topic: MetadataResponse['topics'][number] | undefined): void {
    const known = this.#known.get(name);
    if (topic === undefined) this.#known.delete(name);
    else if (known === undefined)
      this.#known.set(name, { id: topic.topicId, partitions: topic.partitions.length });
  }
}

function firstLog(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}
