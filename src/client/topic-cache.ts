import { ErrorCode } from '../model/errors.ts';
import type { LeaderEpoch, Millis, Uuid } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetadataResponse } from '../wire/apis/03-metadata.ts';
import { BrokerError } from './errors.ts';

/** A topic as a client knows it. */
export interface KnownTopic {
  readonly name: string;
  readonly id: Uuid;
  /** By index; a leader of -1 is none. */
  readonly partitions: readonly { leaderId: number; leaderEpoch: LeaderEpoch }[];
}

/** Who leads a partition, as some broker says. */
export interface LeaderHint {
  topic: string;
  partition: number;
  leaderId: number;
  leaderEpoch: LeaderEpoch;
}

interface Entry {
  topic: KnownTopic;
  askedAtMs: Millis;
  /** Someone was told that it is wrong. */
  isStale: boolean;
}

export interface TopicCacheOptions {
  clock: Clock;
  maxAgeMs: Millis;
  ask: (names: readonly string[]) => Promise<MetadataResponse>;
}

/** What brokers said of topics. All that is asked for while nothing is answered goes into one request. */
export class TopicCache {
  readonly #options: TopicCacheOptions;
  readonly #entries = new Map<string, Entry>();
  /** Asked for, in a request that has not been made. */
  #wanted = new Set<string>();
  #next: Promise<MetadataResponse> | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: TopicCacheOptions) {
    this.#options = options;
  }

  /** It may be out of date. */
  known(name: string): KnownTopic | undefined {
    return this.#entries.get(name)?.topic;
  }

  /** What is neither old nor doubted. */
  fresh(name: string): KnownTopic | undefined {
    const entry = this.#entries.get(name);
    const { clock, maxAgeMs } = this.#options;
    const isFresh = entry !== undefined && !entry.isStale && clock.now() - entry.askedAtMs < maxAgeMs;
    return isFresh ? entry.topic : undefined;
  }

  /** @throws BrokerError what the broker says of the topic; what `ask` throws. */
  async get(name: string): Promise<KnownTopic> {
    return this.fresh(name) ?? this.getAnew(name);
  }

  /** As a broker says it now, whatever is known. @throws as `get` */
  async getAnew(name: string): Promise<KnownTopic> {
    this.#wanted.add(name);
    this.#next ??= this.#askNext();
    const { topics } = await this.#next;
    const found = topics.find((topic) => topic.name === name);
    const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (found === undefined || errorCode !== ErrorCode.NONE) {
      this.#entries.delete(name);
      throw new BrokerError(errorCode, name);
    }
    return this.#entries.get(name)?.topic ?? this.#take(found, name);
  }

  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.isStale = true;
  }

  /** @returns whether it is newer than what is known; else it is not believed. */
  learn({ topic: name, partition, leaderId, leaderEpoch }: LeaderHint): boolean {
    const entry = this.#entries.get(name);
    const known = entry?.topic.partitions[partition];
    if (entry === undefined || known === undefined || known.leaderEpoch >= leaderEpoch) return false;
    const partitions = entry.topic.partitions.with(partition, { leaderId, leaderEpoch });
    entry.topic = { ...entry.topic, partitions };
    return true;
  }

  /** After the request that is under way, since what it says may be older than what is asked now. */
  async #askNext(): Promise<MetadataResponse> {
    await this.#running.catch(() => {});
    const names = [...this.#wanted];
    this.#wanted = new Set();
    this.#next = undefined;
    const running = this.#options.ask(names);
    this.#running = running;
    const answer = await running;
    for (const topic of answer.topics)
      if (topic.name !== null && topic.errorCode === ErrorCode.NONE) this.#take(topic, topic.name);
    return answer;
  }

  #take(found: MetadataResponse['topics'][number], name: string): KnownTopic {
    const before = this.#entries.get(name)?.topic;
    const isSame = before !== undefined && before.id === found.topicId;
    const partitions = Array.from({ length: found.partitions.length }, () => ({
      leaderId: -1,
      leaderEpoch: -1,
    }));
    for (const { partitionIndex, leaderId, leaderEpoch } of found.partitions) {
      const known = isSame ? before.partitions[partitionIndex] : undefined;
      // A broker that lags says what was true before (KIP-320).
      const isOld = known !== undefined && leaderEpoch >= 0 && known.leaderEpoch > leaderEpoch;
      if (partitionIndex < partitions.length)
        partitions[partitionIndex] = isOld ? known : { leaderId, leaderEpoch };
    }
    const topic = { name, id: found.topicId, partitions };
    this.#entries.set(name, { topic, askedAtMs: this.#options.clock.now(), isStale: false });
    return topic;
  }
}
