import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { MilenaError } from '../errors.ts';
import { type Isolation, Lookups, MAX_TIMESTAMP } from '../fetch/lookups.ts';
import { type Ago, EARLIEST, LATEST, placeOf, type Position, type Time, timeOf } from '../fetch/position.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AnyTopic } from '../topics/topic.ts';
import { type AdminOptions, allOf, type Asking } from './asking.ts';
import { describeTopics } from './topic-descriptions.ts';
import { namesOf } from './topics.ts';

/**
 * `earliest`: the first record there is; `latest`: the end; `maxTimestamp`: the record with the highest timestamp; a
 * time: the first record that is not older.
 */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | Ago | { readonly time: Time };

export interface ListedOffset extends TopicPartition {
  /** Null where there is no such record. */
  offset: Offset | null;
  /** Of the record; null where there is none, or it was not looked for by time. */
  timestamp: Millis | null;
  leaderEpoch: LeaderEpoch;
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: Offset;
}

export interface ListOffsetsOptions extends AdminOptions {
  /** `latest` unless given. */
  at?: OffsetSpec;
  /** `read_committed` ends before the first transaction that is open. */
  isolation?: Isolation;
}

/** Where records are: `client.admin.offsets`. */
export class OffsetsAdmin {
  readonly #asking: Asking;
  readonly #lookups: Readonly<Record<Isolation, Lookups>>;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
    const { cluster } = asking;
    this.#lookups = {
      read_committed: new Lookups(cluster, 'read_committed'),
      read_uncommitted: new Lookups(cluster, 'read_uncommitted'),
    };
  }

  /**
   * Of all partitions of some topics, in order.
   * @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION; UNSUPPORTED_VERSION for `maxTimestamp` before Kafka 3.0.
   */
  async list(
    topics: AnyTopic | readonly AnyTopic[],
    { at = 'latest', isolation, signal }: ListOffsetsOptions = {},
  ): Promise<ListedOffset[]> {
    const partitions = await this.partitionsOf(topics, { signal });
    return this.at(partitions, this.#timestampOf(at), { isolation, signal });
  }

  /** @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION */
  async partitionsOf(
    topics: AnyTopic | readonly AnyTopic[],
    options: AdminOptions = {},
  ): Promise<TopicPartition[]> {
    const described = allOf((await describeTopics(this.#asking, namesOf(topics), options)).values());
    return described.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    );
  }

  /** Ends of those partitions that are still there, by their title. */
  async ends(
    partitions: readonly TopicPartition[],
    { signal }: AdminOptions = {},
  ): Promise<Map<string, Offset>> {
    const names = [...new Set(partitions.map(({ topic }) => topic))];
    const described = await describeTopics(this.#asking, names, { signal });
    const isThere = ({ topic, partition }: TopicPartition) => {
      const found = described.get(topic);
      if (found instanceof MilenaError && found.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw found;
      return found !== undefined && !(found instanceof MilenaError) && partition < found.partitions.length;
    };
    const found = await this.at(partitions.filter(isThere), LATEST, { signal });
    return new Map(found.map((at) => [titleOf(at), at.offset ?? 0]));
  }

  /** Of partitions that are there. @param timestamp -1 the end, -2 the start, -3 the highest, or a time. */
  at(
    partitions: readonly TopicPartition[],
    timestamp: number,
    { isolation = 'read_uncommitted', signal }: AdminOptions & { isolation?: Isolation | undefined } = {},
  ): Promise<ListedOffset[]> {
    const lookups = this.#lookups[isolation];
    // All that are asked in one turn go into one request a leader.
    const ask = async ({ topic, partition }: TopicPartition): Promise<ListedOffset> => {
      const at = { topic, partition };
      const found = await this.#asking.try(() => lookups.offsetAt(at, timestamp), { signal });
      const { offset, leaderEpoch } = found;
      return {
        ...at,
        offset: offset < 0 ? null : offset,
        timestamp: found.timestamp < 0 ? null : found.timestamp,
        leaderEpoch,
      };
    };
    return Promise.all(partitions.map(ask));
  }

  /** The offsets that a position stands for, within what there is. */
  async resolve(
    partitions: readonly TopicPartition[],
    position: Position,
    options: AdminOptions = {},
  ): Promise<PartitionOffset[]> {
    const place = placeOf(position, this.#asking.nowMs());
    const lookups = this.#lookups.read_uncommitted;
    const ask = async ({ topic, partition }: TopicPartition) => {
      const at = { topic, partition };
      const { offset } = await this.#asking.try(() => lookups.resolve(at, place), options);
      return { ...at, offset };
    };
    const found = await Promise.all(partitions.map(ask));
    return place.kind === 'offset' ? this.clamp(found, options) : found;
  }

  /** The nearest that there are: no record lies before the first or after the end. */
  async clamp(wanted: readonly PartitionOffset[], options: AdminOptions = {}): Promise<PartitionOffset[]> {
    const [starts, ends] = await Promise.all([
      this.at(wanted, EARLIEST, options),
      this.at(wanted, LATEST, options),
    ]);
    return wanted.map(({ offset, ...at }, index) => {
      const start = starts[index]?.offset ?? 0;
      const end = ends[index]?.offset ?? 0;
      return { ...at, offset: Math.min(end, Math.max(start, offset)) };
    });
  }

  #timestampOf(spec: OffsetSpec): number {
    if (spec === 'earliest') return EARLIEST;
    if (spec === 'latest') return LATEST;
    if (spec === 'maxTimestamp') return MAX_TIMESTAMP;
    return timeOf(typeof spec === 'string' ? spec : spec.time, this.#asking.nowMs());
  }
}
