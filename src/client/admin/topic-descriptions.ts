import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, Uuid } from '../../model/ids.ts';
import type { MetadataResponse } from '../../wire/apis/03-metadata.ts';
import { type AdminOptions, type Asking, type Outcome, outcomeOf, unknownTopic } from './asking.ts';

export interface TopicDescription {
  name: string;
  id: Uuid;
  isInternal: boolean;
  partitions: {
    partition: number;
    /** -1 when there is none. */
    leaderId: number;
    leaderEpoch: LeaderEpoch;
    /** Assigned, the preferred one first. */
    replicas: number[];
    isr: number[];
    offlineReplicas: number[];
  }[];
}

/** As a broker knows them now. */
export async function describeTopics(
  asking: Asking,
  names: readonly string[],
  { signal }: AdminOptions,
): Promise<Map<string, Outcome<TopicDescription>>> {
  const ask = async (some: readonly string[]) => {
    const { topics } = await asking.cluster.metadata(some, signal);
    return new Map(topics.map((topic) => [topic.name ?? '', descriptionOf(topic)]));
  };
  return asking.each(names, ask, { signal });
}

export function descriptionOf({
  errorCode,
  name,
  topicId,
  isInternal,
  partitions,
}: MetadataResponse['topics'][number]): Outcome<TopicDescription> {
  const title = name ?? '';
  if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return unknownTopic(title);
  const value = {
    name: title,
    id: topicId,
    isInternal,
    partitions: partitions
      .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas }) => ({
        partition: partitionIndex,
        leaderId,
        leaderEpoch,
        replicas: [...replicaNodes],
        isr: [...isrNodes],
        offlineReplicas: [...offlineReplicas],
      }))
      .sort((a, b) => a.partition - b.partition),
  };
  return outcomeOf({ errorCode }, { where: title, value });
}
