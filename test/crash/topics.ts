import { metadataApi, type MetadataResponse } from '../../src/wire/apis/03-metadata.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { type Connection, ConnectionLost } from './connection.ts';
import type { RoundProgress } from './round.ts';

interface Topic {
  id: string;
  partitions: number;
}

export interface NewTopic {
  name: string;
  partitions: number;
  configs?: Record<string, string>;
}

const TOPIC_ALREADY_EXISTS = 36;

/** The topics that must be there, with their ids, through all lives of the broker; and those that may be. */
export class Topics {
  readonly #known = new Map<string, Topic>();
  /** Being created or deleted when the broker died. */
  readonly #unsure = new Set<string>();
  readonly #onFault: (fault: string) => void;
  #clusterId: string | null | undefined;

  constructor(onFault: (fault: string) => void) {
    this.#onFault = onFault;
  }

  get names(): string[] {
    return [...this.#known.keys()];
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
      this.#onFault(`${name} was not created: error ${created.errorCode}`);
    progress?.acked();
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
    else this.#onFault(`${name} was not deleted: error ${deleted.errorCode}`);
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
    if (metadata.clusterId !== this.#clusterId) this.#onFault(`the cluster is now ${metadata.clusterId}`);
    const found = new Map(metadata.topics.map((topic) => [topic.name ?? '', topic]));
    for (const name of this.#unsure) this.#settle(name, found.get(name));
    this.#unsure.clear();
    for (const [name, { id, partitions }] of this.#known) {
      const topic = found.get(name);
      if (topic === undefined) this.#onFault(`topic ${name} is gone`);
      else if (topic.topicId !== id) this.#onFault(`topic ${name} was ${id} and is ${topic.topicId}`);
      else if (topic.partitions.length !== partitions)
        this.#onFault(`topic ${name} has ${topic.partitions.length} partitions`);
    }
    for (const [name, topic] of found) {
      if (!this.#known.has(name) && !topic.isInternal)
        this.#onFault(`topic ${name} is there and should not be`);
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
