import { ErrorCode } from '../../model/errors.ts';
import { type LeaderEpoch, type Offset, type Uuid, ZERO_UUID } from '../../model/ids.ts';
import type { FetchRequest } from '../../wire/apis/01-fetch.ts';
import type { TopicPartition } from '../topic-partition.ts';

/** One partition as it is asked for. */
export interface Asked {
  topic: string;
  topicId: Uuid;
  partition: number;
  fetchOffset: Offset;
  currentLeaderEpoch: LeaderEpoch;
  partitionMaxBytes: number;
}

type SessionPart = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'>;

/** Says all, and opens a session. */
export const INITIAL_EPOCH = 0;
const EPOCH_MAX = 0x7fff_ffff;

/**
 * What one broker remembers of our requests (KIP-227), so that only what has changed is said. A broker that has no
 * room, or has forgotten, is told all.
 */
export class FetchSession {
  #id = 0;
  #epoch = INITIAL_EPOCH;
  /** As the broker was told. */
  #told = new Map<string, Asked>();
  #usesIds = false;

  /** What to send to have all of `asked`, in this order of preference. One request at a time. */
  next(asked: readonly Asked[], usesIds: boolean): SessionPart {
    if (usesIds !== this.#usesIds) this.restart();
    this.#usesIds = usesIds;
    const before = this.#epoch === INITIAL_EPOCH ? new Map<string, Asked>() : this.#told;
    this.#told = new Map(asked.map((one) => [keyOf(one, usesIds), one]));
    const changed = asked.filter((one) => !isSame(before.get(keyOf(one, usesIds)), one));
    const forgotten = [...before].flatMap(([key, one]) => (this.#told.has(key) ? [] : [one]));
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed, (one) => ({
        partition: one.partition,
        fetchOffset: one.fetchOffset,
        currentLeaderEpoch: one.currentLeaderEpoch,
        partitionMaxBytes: one.partitionMaxBytes,
      })) as FetchRequest['topics'],
      forgottenTopicsData: byTopic(forgotten, ({ partition }) => partition),
    };
  }

  /** @returns whether the answer is one: if not, all is said again. */
  answered(errorCode: number, sessionId: number): boolean {
    if (errorCode !== ErrorCode.NONE) {
      this.restart();
      return false;
    }
    this.#id = sessionId;
    this.#epoch = sessionId === 0 ? INITIAL_EPOCH : this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1;
    return true;
  }

  /** The next request says all, and opens another session in place of this one. */
  restart(): void {
    this.#epoch = INITIAL_EPOCH;
  }
}

/** As a broker tells them apart: a name may be another topic's by now, and is the same to who goes by names. */
export function keyOf(
  { topic, topicId = ZERO_UUID, partition }: TopicPartition & { topicId?: Uuid | undefined },
  usesIds: boolean,
): string {
  return `${usesIds ? topicId : topic}/${partition}`;
}

function isSame(before: Asked | undefined, now: Asked): boolean {
  return (
    before !== undefined &&
    before.fetchOffset === now.fetchOffset &&
    before.currentLeaderEpoch === now.currentLeaderEpoch &&
    before.partitionMaxBytes === now.partitionMaxBytes
  );
}

function byTopic<T>(some: readonly Asked[], use: (one: Asked) => T) {
  const topics = new Map<string, { topic: string; topicId: Uuid; partitions: T[] }>();
  for (const one of some) {
    const { topic, topicId } = one;
    const key = `${topicId}/${topic}`;
    let entry = topics.get(key);
    if (entry === undefined) topics.set(key, (entry = { topic, topicId, partitions: [] }));
    entry.partitions.push(use(one));
  }
  return [...topics.values()];
}
