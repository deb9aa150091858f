import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID, type Uuid } from '../../model/ids.ts';
import type { Cluster } from '../cluster.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';

/** A partition of the topic of that id: another of the same name is another one. */
export interface AssignedPartition extends TopicPartition {
  readonly topicId: Uuid;
}

/** As heartbeats list partitions. */
export interface TopicPartitions {
  topicId: Uuid;
  partitions: readonly number[];
}

/** Names of topics by their ids, as far as they are among those a member wants. */
export class TopicIds {
  readonly #cluster: Cluster;
  #names = new Map<Uuid, string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * @param wanted names among which those of the ids are; null when they may be any.
   * @returns undefined for what has no name yet, or none any more. @throws BrokerError, ConnectionLost
   */
  async named(
    lists: readonly TopicPartitions[],
    wanted: readonly string[] | null,
    signal: AbortSignal,
  ): Promise<AssignedPartition[] | undefined> {
    if (lists.some(({ topicId }) => !this.#names.has(topicId))) {
      const { topics } = await this.#cluster.metadata(wanted, signal);
      this.#names = new Map(
        topics.flatMap(({ name, topicId, errorCode }) =>
          name !== null && topicId !== ZERO_UUID && errorCode === ErrorCode.NONE ? [[topicId, name]] : [],
        ),
      );
    }
    const found = lists.flatMap(({ topicId, partitions }) => {
      const topic = this.#names.get(topicId);
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition, topicId }));
    });
    const isAll = lists.every(({ topicId }) => this.#names.has(topicId));
    return isAll ? found : undefined;
  }
}

/** As requests name them. */
export function byTopicId(all: Iterable<AssignedPartition>): { topicId: Uuid; partitions: number[] }[] {
  const groups = Map.groupBy(all, ({ topicId }) => topicId);
  return [...groups].map(([topicId, some]) => ({
    topicId,
    partitions: some.map(({ partition }) => partition),
  }));
}

/** Those of `all` that are not among `others`, by the ids of their topics. */
export function withoutAssigned(
  all: Iterable<AssignedPartition>,
  others: Iterable<AssignedPartition>,
): AssignedPartition[] {
  const keyOf = (one: AssignedPartition) => `${one.topicId} ${titleOf(one)}`;
  const known = new Set(Array.from(others, keyOf));
  return [...all].filter((one) => !known.has(keyOf(one)));
}
