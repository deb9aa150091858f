import { ErrorCode, errorInfo, KafkaError } from '../model/errors.ts';
import { metadataApi, type MetadataResponse } from '../wire/apis/03-metadata.ts';
import { createTopicsApi } from '../wire/apis/19-create-topics.ts';
import { type Address, ConnectionLost, type Dial, Exchange } from './exchange.ts';

export interface ClusterOptions {
  dial: Dial;
  /** Where to ask first. */
  bootstrap: Address;
  clientId: string;
}

/** Names in requests, which is what callers have: topic ids came later. */
const METADATA_VERSIONS = { min: 1, max: 12 };
const CREATE_VERSIONS = { min: 2, max: 7 };

/** A Kafka cluster as one caller sees it: who leads what, and a connection to each broker that is needed. */
export class Cluster {
  readonly #options: ClusterOptions;
  #bootstrap: Exchange | undefined;
  readonly #brokers = new Map<number, Exchange>();
  /** By topic. */
  readonly #known = new Map<string, MetadataResponse>();

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** @throws ConnectionLost when no broker answers there. */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    await cluster.anyBroker();
    return cluster;
  }

  /** A connection to whoever answered first, made anew if it was lost. */
  async anyBroker(): Promise<Exchange> {
    const { dial, bootstrap, clientId } = this.#options;
    if (this.#bootstrap === undefined || this.#bootstrap.isClosed)
      this.#bootstrap = await Exchange.open(dial, bootstrap, clientId);
    return this.#bootstrap;
  }

  /** Metadata of these topics; null asks for all. Nothing is created. */
  async metadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    const wanted = topics?.map((name) => ({ name })) ?? null;
    const request = { topics: wanted, allowAutoTopicCreation: false };
    return (await this.anyBroker()).request(metadataApi, METADATA_VERSIONS, request);
  }

  /** How many partitions a topic has; undefined when there is no such topic. @throws KafkaError */
  async partitionsOf(topic: string): Promise<number | undefined> {
    const found = (await this.#about(topic)).topics[0];
    const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return undefined;
    if (errorCode !== ErrorCode.NONE)
      throw new KafkaError(errorCode, `${topic}: ${errorInfo(errorCode).name}`);
    return found?.partitions.length;
  }

  /** @throws KafkaError when it cannot be made. */
  async createTopic(name: string, numPartitions: number): Promise<void> {
    const topic = { name, numPartitions, replicationFactor: -1, assignments: [], configs: [] };
    const broker = await this.anyBroker();
    const { topics } = await broker.request(createTopicsApi, CREATE_VERSIONS, { topics: [topic] });
    this.#known.delete(name);
    const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = topics[0] ?? {};
    if (errorCode !== ErrorCode.NONE)
      throw new KafkaError(errorCode, errorMessage ?? errorInfo(errorCode).name);
  }

  /**
   * A connection to the leader of a partition. In a cluster of one it is the one that is there, whatever the broker
   * believes its address is.
   * @throws ConnectionLost; KafkaError LEADER_NOT_AVAILABLE.
   */
  async leaderOf(topic: string, partition: number): Promise<Exchange> {
    const { brokers, topics } = await this.#about(topic);
    const found = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    const leader = brokers.find(({ nodeId }) => nodeId === found?.leaderId);
    if (leader === undefined)
      throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE, `${topic}-${partition} has no leader`);
    if (brokers.length === 1) return this.anyBroker();
    const open = this.#brokers.get(leader.nodeId);
    if (open !== undefined && !open.isClosed) return open;
    const exchange = await Exchange.open(this.#options.dial, leader, this.#options.clientId);
    this.#brokers.set(leader.nodeId, exchange);
    return exchange;
  }

  /** What was known of a topic may be wrong: ask again. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  close(): void {
    this.#bootstrap?.close();
    for (const exchange of this.#brokers.values()) exchange.close();
  }

  async #about(topic: string): Promise<MetadataResponse> {
    const known = this.#known.get(topic) ?? (await this.metadata([topic]));
    this.#known.set(topic, known);
    return known;
  }
}

/** Whether trying again may help: the connection was lost, or Kafka calls the error retriable. */
export function mayRetry(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  return error instanceof KafkaError && errorInfo(error.code).retriable;
}
