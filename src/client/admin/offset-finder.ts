import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { MilenaError } from '../errors.ts';
import { type Isolation, Lookups } from '../fetch/lookups.ts';
import { EARLIEST, LATEST, placeOf, type Position } from '../fetch/position.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import { type AnyTopic, nameOf } from '../topics/topic.ts';
import { type AdminOptions, allOf, type Asking, unknownTopic } from './asking.ts';
import { describeTopics } from './topic-descriptions.ts';

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

/** All partitions of a topic, or of some; or some partitions. */
export type PartitionsOf = AnyTopic | readonly (AnyTopic | TopicPartition)[];

/** Asks leaders where offsets are, for all that needs it here; what may pass is tried again. */
export class OffsetFinder {
  readonly #asking: Asking;
  readonly #lookups: Readonly<Record<Isolation, Lookups>>;

  constructor(asking: Asking) {
    this.#asking = asking;
    const { cluster } = asking;
    this.#lookups = {
      read_committed: new Lookups(cluster, 'read_committed'),
      read_uncommitted: new Lookups(cluster, 'read_uncommitted'),
    };
  }

  /** All that are there, in order. @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION */
  async partitionsOf(of: PartitionsOf, options: AdminOptions = {}): Promise<TopicPartition[]> {
    const given = Array.isArray(of) ? (of as readonly (AnyTopic | TopicPartition)[]) : [of as AnyTopic];
    const names = given.map((each) => (isPartition(each) ? each.topic : nameOf(each)));
    const described = await describeTopics(this.#asking, [...new Set(names)], options);
    const topics = new Map(allOf(described.values()).map((topic) => [topic.name, topic.partitions]));
    return given.flatMap((each, at) => {
      const topic = names[at] ?? '';
      const partitions = topics.get(topic) ?? [];
      if (!isPartition(each)) return partitions.map(({ partition }) => ({ topic, partition }));
      const { partition } = each;
      if (partition in partitions) return [{ topic, partition }];
      throw unknownTopic(titleOf(each));
    });
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
}

function isPartition(given: AnyTopic | TopicPartition): given is TopicPartition {
  return typeof given === 'object' && 'partition' in given;
}
