import { OPERATIONS_NOT_ASKED } from '../security/operations.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import { ZERO_UUID } from '../model/ids.ts';
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../wire/apis/75-describe-topic-partitions.ts';
import type { MetadataImage, PartitionImage, TopicImage } from './image.ts';
import { isInternalTopic } from './internal-topics.ts';
import { isTopicName } from './topic-names.ts';

type Topic = DescribeTopicPartitionsResponse['topics'][number];
type Partition = Topic['partitions'][number];

/**
 * A page of topics and their partitions, by name: those asked for, or all; from the cursor on, up to `partitionsMax`
 * partitions and never none. The next page begins at the cursor it gives.
 * @throws {KafkaError} INVALID_REQUEST for a cursor that points nowhere.
 */
export function describeTopicPartitions(
  image: MetadataImage,
  { topics, responsePartitionLimit, cursor }: DescribeTopicPartitionsRequest,
  { partitionsMax }: { partitionsMax: number },
): DescribeTopicPartitionsResponse {
  if (cursor !== null && cursor.partitionIndex < 0) {
    const what = 'DescribeTopicPartitionRequest cursor partition must be valid';
    throw new KafkaError(ErrorCode.INVALID_REQUEST, what);
  }
  const isAll = topics.length === 0;
  const names = isAll ? [...image.topicNames()] : topics.map(({ name }) => name);
  const from = cursor?.topicName ?? '';
  const page: Topic[] = [];
  let left = Math.max(1, Math.min(partitionsMax, responsePartitionLimit));
  const respond = (topicName: string | undefined, partitionIndex: number) => ({
    throttleTimeMs: 0,
    topics: page,
    nextCursor: topicName === undefined ? null : { topicName, partitionIndex },
  });
  for (const name of [...new Set(names)].filter((each) => each >= from).toSorted()) {
    if (left === 0) return respond(name, 0);
    const topic = image.topic(name);
    if (topic === undefined) {
      if (!isAll) page.push(absent(name));
      continue;
    }
    const first = name === from ? (cursor?.partitionIndex ?? 0) : 0;
    const partitions = topic.partitions.slice(first, first + left);
    page.push(described(topic, partitions));
    left -= partitions.length;
    if (first + partitions.length < topic.partitions.length) return respond(name, first + partitions.length);
  }
  return respond(undefined, 0);
}

function described({ name, id }: TopicImage, some: readonly PartitionImage[]): Topic {
  return { ...absent(name), errorCode: ErrorCode.NONE, topicId: id, partitions: some.map(partitionOf) };
}

function partitionOf(partition: PartitionImage): Partition {
  return {
    errorCode: ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    eligibleLeaderReplicas: [...(partition.eligibleLeaderReplicas ?? [])],
    lastKnownElr: [...(partition.lastKnownElr ?? [])],
    offlineReplicas: [],
  };
}

function absent(name: string): Topic {
  return {
    errorCode: isTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
