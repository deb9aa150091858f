import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import { offsetForLeaderEpochApi } from '../../wire/apis/23-offset-for-leader-epoch.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';
import { byTopic, titleOf, type TopicPartition } from '../topic-partition.ts';
import { EARLIEST, LATEST, type Place } from './position.ts';

/** Asks for the record with the highest timestamp (KIP-734). */
export const MAX_TIMESTAMP = -3;

/** v1 answers one offset, v2 knows isolation, v4 epochs; v10 adds nothing for us. */
const LIST_OFFSETS_VERSIONS = { min: 1, max: 9 };
const MAX_TIMESTAMP_VERSION = 7;
/** v2 fences who asks the wrong leader. */
const EPOCH_VERSIONS = { min: 2, max: 4 };

export type Isolation = 'read_uncommitted' | 'read_committed';

export function levelOf(isolation: Isolation): 0 | 1 {
  return isolation === 'read_committed' ? 1 : 0;
}

/** An offset as a leader tells it; -1 when there is none. */
export interface FoundOffset {
  offset: Offset;
  leaderEpoch: LeaderEpoch;
  /** Of the record there, where it was looked for by time; else -1. */
  timestamp: Millis;
}

interface Question extends TopicPartition {
  resolve: (found: FoundOffset) => void;
  reject: (error: unknown) => void;
}

/** Asks leaders where offsets are. What is asked in one turn goes to each leader in one request. */
export class Lookups {
  readonly #cluster: Cluster;
  readonly #isolation: Isolation;
  /** By node and time, of this turn: Kafka takes a partition once a request. */
  #waiting = new Map<string, { nodeId: number; timestamp: number; questions: Map<string, Question> }>();

  constructor(cluster: Cluster, isolation: Isolation) {
    this.#cluster = cluster;
    this.#isolation = isolation;
  }

  /**
   * The offset that stands for a place: below 0 from the end, for a time the first that is not older, else the end.
   * @throws BrokerError, ConnectionLost: each may be tried again if it says so.
   */
  async resolve(at: TopicPartition, place: Place): Promise<FoundOffset> {
    if (place.kind === 'time') {
      const found = await this.offsetAt(at, place.timestamp);
      return found.offset >= 0 ? found : this.offsetAt(at, LATEST);
    }
    if (place.offset >= 0) return { offset: place.offset, leaderEpoch: place.leaderEpoch, timestamp: -1 };
    const [start, end] = await Promise.all([this.offsetAt(at, EARLIEST), this.offsetAt(at, LATEST)]);
    return { ...end, offset: Math.max(start.offset, end.offset + place.offset), leaderEpoch: -1 };
  }

  /** The first offset at or after a time; -2 asks for the first there is, -1 for the end. */
  async offsetAt(at: TopicPartition, timestamp: number): Promise<FoundOffset> {
    const nodeId = await this.#leaderOf(at);
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) void Promise.resolve().then(() => this.#askAll());
      const key = `${nodeId}/${timestamp}`;
      let asked = this.#waiting.get(key);
      // A partition that is asked for twice in a turn is asked for in two requests.
      if (asked?.questions.has(titleOf(at)))
        return void this.#ask(nodeId, timestamp, [{ ...at, resolve, reject }]);
      if (asked === undefined) this.#waiting.set(key, (asked = { nodeId, timestamp, questions: new Map() }));
      asked.questions.set(titleOf(at), { ...at, resolve, reject });
    });
  }

  /**
   * Where an epoch, or the last before it, ends at the leader (KIP-320); undefined where the broker cannot say.
   * @throws as {@link resolve}
   */
  async endOfEpoch(
    at: TopicPartition,
    epochs: { leaderEpoch: LeaderEpoch; currentLeaderEpoch: LeaderEpoch },
  ): Promise<{ leaderEpoch: LeaderEpoch; endOffset: Offset } | undefined> {
    const leader = await this.#cluster.broker(await this.#leaderOf(at));
    const offered = leader.versions.get(offsetForLeaderEpochApi.key);
    if (offered === undefined || offered.max < EPOCH_VERSIONS.min) return undefined;
    const { topic, partition } = at;
    const { topics } = await leader.request(offsetForLeaderEpochApi, EPOCH_VERSIONS, {
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition, ...epochs }] }],
    });
    const found = topics[0]?.partitions[0];
    this.#check(at, found?.errorCode);
    return { leaderEpoch: found?.leaderEpoch ?? -1, endOffset: found?.endOffset ?? -1 };
  }

  async #leaderOf(at: TopicPartition): Promise<number> {
    const known = this.#cluster.leaderIdOf(at.topic, at.partition);
    if (known !== undefined) return known;
    const { partitions } = await this.#cluster.topic(at.topic, { mayCreate: false });
    const leaderId = partitions[at.partition]?.leaderId;
    if (leaderId !== undefined && leaderId >= 0) return leaderId;
    this.#cluster.forget(at.topic);
    throw new BrokerError(
      leaderId === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.LEADER_NOT_AVAILABLE,
      titleOf(at),
    );
  }

  #askAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const { nodeId, timestamp, questions } of waiting.values())
      void this.#ask(nodeId, timestamp, [...questions.values()]);
  }

  async #ask(nodeId: number, timestamp: number, questions: readonly Question[]): Promise<void> {
    try {
      const broker = await this.#cluster.broker(nodeId);
      const { min, max } = LIST_OFFSETS_VERSIONS;
      const versions = { min: timestamp === MAX_TIMESTAMP ? MAX_TIMESTAMP_VERSION : min, max };
      const answer = await broker.request(listOffsetsApi, versions, {
        replicaId: -1,
        isolationLevel: levelOf(this.#isolation),
        topics: byTopic(questions).map(([name, some]) => ({
          name,
          partitions: some.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
        })),
      });
      const answers = new Map(
        answer.topics.flatMap(({ name: topic, partitions }) =>
          partitions.map((one) => [titleOf({ topic, partition: one.partitionIndex }), one] as const),
        ),
      );
      for (const question of questions) {
        const found = answers.get(titleOf(question));
        try {
          this.#check(question, found?.errorCode);
          const { offset = -1, leaderEpoch = -1, timestamp: foundMs = -1 } = found ?? {};
          question.resolve({ offset, leaderEpoch, timestamp: foundMs });
        } catch (error) {
          question.reject(error);
        }
      }
    } catch (error) {
      // It may have gone for good, and others lead.
      for (const { topic, reject } of questions) {
        this.#cluster.forget(topic);
        reject(error);
      }
    }
  }

  /** Whoever answers with an error may not be the leader any more. */
  #check(at: TopicPartition, errorCode: number = ErrorCode.UNKNOWN_SERVER_ERROR): void {
    if (errorCode === ErrorCode.NONE) return;
    this.#cluster.forget(at.topic);
    throw new BrokerError(errorCode, titleOf(at));
  }
}
