import { ErrorCode } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import type { Random } from '../ports/random.ts';
import type { Diagnostics } from '../ports/diagnostics.ts';
import type { BrokerAddress } from '../ports/transport.ts';
import { metadataApi, type MetadataResponse } from '../wire/apis/03-metadata.ts';
import { BrokerError, closedError, ConnectionLost } from './errors.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { abortable, BACKOFF_MAX_MS } from './retry.ts';
import { titleOf } from './topic-partition.ts';
import { type LeaderHint, type KnownTopic, TopicCache } from './topic-cache.ts';

export interface ClusterOptions extends ExchangeOptions {
  /** Where to ask first, and when all known brokers have gone: at least one. */
  bootstrap: readonly BrokerAddress[];
  random: Random;
  /** Asking for a topic may make it, where the broker's auto.create.topics.enable says so. */
  allowAutoTopicCreation?: boolean;
  /** What was learnt of a topic is asked again after so long. */
  metadataMaxAgeMs?: Millis;
}

/** The last one says, too, why the request as a whole is refused. */
const METADATA_VERSIONS = { min: 1, max: 13 };
const ANSWER_TIMEOUT_MS = 10_000;
const METADATA_MAX_AGE_MS = 5 * 60_000;
/** Behind what is asked already, as long polls. */
const PROBE_TIMEOUT_MS = 5_000;

/** A Kafka cluster as one caller sees it: who leads what, and a connection to each broker that is needed. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #topics: TopicCache;
  /** By `host:port`; some may have closed since. */
  readonly #open = new Map<string, Exchange>();
  readonly #opening = new Map<string, Promise<Exchange>>();
  /** Callers' own. */
  readonly #own = new Set<Exchange>();
  #brokers = new Map<number, BrokerAddress>();
  readonly #life = new AbortController();
  readonly #stopListening: (() => void) | undefined;
  /** Connections that are being opened. */
  #tries = 0;
  /** When one could not be opened. */
  #failedAtMs = -Infinity;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { clock, metadataMaxAgeMs = METADATA_MAX_AGE_MS } = options;
    this.#topics = new TopicCache({
      clock,
      maxAgeMs: metadataMaxAgeMs,
      ask: (names) => this.metadata(names),
    });
    this.#stopListening = clock.wakes?.on(() => this.#woke());
  }

  /** For what no disk has to be asked for: it is answered so soon, or not at all. */
  get answerTimeoutMs(): Millis {
    return Math.min(ANSWER_TIMEOUT_MS, this.#options.requestTimeoutMs ?? ANSWER_TIMEOUT_MS);
  }

  get diagnostics(): Diagnostics | undefined {
    return this.#options.diagnostics;
  }

  /** @throws ConnectionLost when no broker answers there. */
  static async connect(options: ClusterOptions, signal?: AbortSignal): Promise<Cluster> {
    const cluster = new Cluster(options);
    await cluster.anyBroker(signal);
    return cluster;
  }

  get isClosed(): boolean {
    return this.#life.signal.aborted;
  }

  /**
   * `reconnecting`: none is connected, and one is being tried, or was so lately that whoever wants one will try again.
   * `disconnected`: none is, and nobody tries; the next call that needs one does.
   */
  get status(): 'connected' | 'reconnecting' | 'disconnected' | 'closed' {
    if (this.isClosed) return 'closed';
    if (this.#connections.some(({ isClosed }) => !isClosed)) return 'connected';
    const isTried = this.#tries > 0 || this.#options.clock.now() - this.#failedAtMs <= BACKOFF_MAX_MS;
    return isTried ? 'reconnecting' : 'disconnected';
  }

  /** A connection to whoever is connected, or answers first: of those known, then of those to ask first. */
  async anyBroker(signal?: AbortSignal): Promise<Exchange> {
    return this.#openExchange() ?? this.#first((address) => this.#exchangeAt(address, signal));
  }

  /** Metadata of these topics, as a broker says it now; null asks for all. Nothing is created. */
  async metadata(topics: readonly string[] | null, signal?: AbortSignal): Promise<MetadataResponse> {
    return this.#metadata(topics, { allowAutoTopicCreation: false, signal });
  }

  /** What is known of a topic, without asking; it may be out of date. Undefined when nothing is. */
  known(topic: string): KnownTopic | undefined {
    return this.#topics.known(topic);
  }

  /**
   * What is known of a topic, asked for when it is not, or is out of date.
   * @param mayCreate it is made if it is not there, where client and broker allow that.
   * @throws BrokerError, ConnectionLost
   */
  async topic(name: string, { mayCreate = true }: { mayCreate?: boolean } = {}): Promise<KnownTopic> {
    const { allowAutoTopicCreation = false } = this.#options;
    try {
      return await this.#topics.get(name);
    } catch (error) {
      if (!mayCreate || !allowAutoTopicCreation || !isUnknownTopic(error)) throw error;
      const { topics } = await this.#metadata([name], { allowAutoTopicCreation });
      const { errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION } = topics[0] ?? {};
      if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, name);
      return this.#topics.get(name);
    }
  }

  /** Who leads a partition, as far as is known and not doubted. */
  leaderIdOf(topic: string, partition: number): number | undefined {
    const leaderId = this.#topics.fresh(topic)?.partitions[partition]?.leaderId ?? -1;
    return leaderId < 0 ? undefined : leaderId;
  }

  /**
   * How many partitions a topic has now: others may have added some since it was asked last.
   * @throws BrokerError, ConnectionLost
   */
  async partitionsOf(topic: string): Promise<number> {
    return (await this.#topics.getAnew(topic)).partitions.length;
  }

  /** A connection to the leader of a partition. @throws ConnectionLost; BrokerError LEADER_NOT_AVAILABLE. */
  async leaderOf(topic: string, partition: number): Promise<Exchange> {
    const { partitions } = await this.topic(topic);
    const leaderId = partitions[partition]?.leaderId ?? -1;
    if (leaderId < 0) throw new BrokerError(ErrorCode.LEADER_NOT_AVAILABLE, titleOf({ topic, partition }));
    return this.broker(leaderId);
  }

  /**
   * A connection to the broker of that number. In a cluster of one it is the one that is there, whatever the broker
   * believes its address is.
   * @throws ConnectionLost
   */
  async broker(nodeId: number): Promise<Exchange> {
    const address = this.#brokers.get(nodeId);
    if (address !== undefined && this.#brokers.size > 1) return this.#exchangeAt(address);
    return this.anyBroker();
  }

  /**
   * A connection of the caller's own to that broker, for what holds up all that is asked behind it: a broker answers a
   * connection's requests in their order. Closed by the caller, or with the cluster. @throws ConnectionLost
   */
  async open(nodeId: number): Promise<Exchange> {
    const address = this.#brokers.get(nodeId);
    const exchange = await (address !== undefined && this.#brokers.size > 1
      ? this.#connect(address)
      : this.#first((other) => this.#connect(other)));
    for (const known of this.#own) if (known.isClosed) this.#own.delete(known);
    this.#own.add(exchange);
    return exchange;
  }

  /** Brokers that were named in an answer. */
  meet(brokers: readonly { nodeId: number; host: string; port: number }[]): void {
    for (const { nodeId, host, port } of brokers) this.#brokers.set(nodeId, { host, port });
  }

  /** What was known of a topic may be wrong: it is asked again when it is needed. */
  forget(topic: string): void {
    this.#topics.forget(topic);
  }

  /**
   * A broker said who leads now (KIP-951). @returns whether that is news: what is not newer than what is known, or
   * names a broker that is not, is not believed.
   */
  learn(hint: LeaderHint, endpoints: readonly { nodeId: number; host: string; port: number }[]): boolean {
    this.meet(endpoints);
    return this.#brokers.has(hint.leaderId) && this.#topics.learn(hint);
  }

  close(): void {
    this.#life.abort(closedError('the client'));
    this.#stopListening?.();
    for (const exchange of this.#connections) exchange.close();
    this.#open.clear();
    this.#own.clear();
  }

  async #metadata(
    topics: readonly string[] | null,
    { allowAutoTopicCreation, signal }: { allowAutoTopicCreation: boolean; signal?: AbortSignal | undefined },
  ): Promise<MetadataResponse> {
    const request = { topics: topics?.map((name) => ({ name })) ?? null, allowAutoTopicCreation };
    const exchange = await this.anyBroker(signal);
    const answer = await exchange.request(metadataApi, METADATA_VERSIONS, request, {
      timeoutMs: this.answerTimeoutMs,
      signal,
    });
    if (answer.errorCode !== ErrorCode.NONE) throw new BrokerError(answer.errorCode, exchange.title);
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return answer;
  }

  #openExchange(): Exchange | undefined {
    for (const [key, exchange] of this.#open) {
      if (!exchange.isClosed) return exchange;
      this.#open.delete(key);
    }
    return undefined;
  }

  /** By chance, so that many clients do not all ask the same. */
  #candidates(): BrokerAddress[] {
    const { bootstrap, random } = this.#options;
    const all = new Map(
      [...bootstrap, ...this.#brokers.values()].map((address) => [keyOf(address), address]),
    );
    return [...all.values()]
      .map((address) => ({ address, place: random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ address }) => address);
  }

  /** One connection an address, whoever asks for it, and how many do at once. */
  async #exchangeAt(address: BrokerAddress, signal?: AbortSignal): Promise<Exchange> {
    this.#life.signal.throwIfAborted();
    const key = keyOf(address);
    const open = this.#open.get(key);
    if (open !== undefined && !open.isClosed) return open;
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#openAt(address).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return abortable(opening, signal);
  }

  async #openAt(address: BrokerAddress): Promise<Exchange> {
    const exchange = await this.#connect(address);
    this.#open.set(keyOf(address), exchange);
    return exchange;
  }

  async #connect(address: BrokerAddress): Promise<Exchange> {
    this.#life.signal.throwIfAborted();
    this.#tries++;
    try {
      const exchange = await Exchange.open(this.#options, address, this.#life.signal);
      if (this.isClosed) exchange.close();
      this.#life.signal.throwIfAborted();
      return exchange;
    } catch (error) {
      this.#failedAtMs = this.#options.clock.now();
      throw error;
    } finally {
      this.#tries--;
    }
  }

  get #connections(): Exchange[] {
    return [...this.#open.values(), ...this.#own];
  }

  /** A network that went away takes connections with it that nobody was told of. */
  #woke(): void {
    for (const exchange of this.#connections) exchange.probe(PROBE_TIMEOUT_MS);
  }

  /** Where it can be opened first. @throws ConnectionLost that says what all failed of. */
  async #first(open: (address: BrokerAddress) => Promise<Exchange>): Promise<Exchange> {
    const failures: ConnectionLost[] = [];
    for (const address of this.#candidates()) {
      try {
        return await open(address);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        failures.push(error);
      }
    }
    const [first] = failures;
    if (failures.length === 1 && first !== undefined) throw first;
    throw new ConnectionLost(failures.map(({ message }) => message).join('; '), first);
  }
}

export function isUnknownTopic(error: unknown): boolean {
  return error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

function keyOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}
