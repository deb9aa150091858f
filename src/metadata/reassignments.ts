import { ErrorCode, KafkaError } from '../model/errors.ts';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../wire/apis/45-alter-partition-reassignments.ts';
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../wire/apis/46-list-partition-reassignments.ts';
import type { MetadataImage, PartitionImage } from './image.ts';
import { answering } from './outcome.ts';
import { checkAssignment } from './placement.ts';

type Topic = AlterPartitionReassignmentsRequest['topics'][number];
type Partition = Topic['partitions'][number];

/**
 * What a move of partitions comes to on one node: to where they are (done already), to where nobody is (refused), or
 * back from a move that nobody made.
 */
export function alterPartitionReassignments(
  image: MetadataImage,
  { allowReplicationFactorChange, topics }: AlterPartitionReassignmentsRequest,
): AlterPartitionReassignmentsResponse {
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const result = (errorCode: number, errorMessage: string | null) => ({
        partitionIndex: partition.partitionIndex,
        errorCode,
        errorMessage,
      });
      return answering(
        () => {
          checkMove(image, { name, partition, allowReplicationFactorChange });
          return result(ErrorCode.NONE, null);
        },
        ({ code, message }) => result(code, message),
      );
    }),
  }));
  const head = {
    throttleTimeMs: 0,
    allowReplicationFactorChange,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
  };
  return { ...head, responses };
}

function checkMove(
  image: MetadataImage,
  move: { name: string; partition: Partition; allowReplicationFactorChange: boolean },
): void {
  const { name, partition } = move;
  const { partitionIndex, replicas } = partition;
  const was = partitionOf(image, name, partitionIndex);
  if (replicas === null) {
    if (was.addingReplicas.length === 0 && was.removingReplicas.length === 0)
      throw new KafkaError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
    return;
  }
  checkAssignment(image, replicas, { partition: partitionIndex, replicationFactor: undefined });
  if (!move.allowReplicationFactorChange && replicas.length !== was.replicas.length) {
    const what = `The replication factor is changed from ${was.replicas.length} to ${replicas.length}`;
    throw new KafkaError(ErrorCode.INVALID_REPLICATION_FACTOR, what);
  }
}

function partitionOf(image: MetadataImage, name: string, index: number): PartitionImage {
  const unknown = (what: string) => new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what);
  const topic = image.topic(name);
  if (!topic) throw unknown(`Unable to find a topic named ${name}.`);
  const partition = image.partition(topic.id, index);
  if (!partition) throw unknown(`Unable to find partition ${name}:${index}.`);
  return partition;
}

/** Partitions that are on their way: on one node none ever is. */
export function listPartitionReassignments(
  image: MetadataImage,
  { topics }: ListPartitionReassignmentsRequest,
): ListPartitionReassignmentsResponse {
  const asked =
    topics ??
    image.topics().map(({ name, partitions }) => ({
      name,
      partitionIndexes: partitions.map(({ index }) => index),
    }));
  const moving = asked.flatMap(({ name, partitionIndexes }) => {
    const partitions = (image.topic(name)?.partitions ?? [])
      .filter(({ index }) => partitionIndexes.includes(index))
      .filter(({ addingReplicas, removingReplicas }) => addingReplicas.length + removingReplicas.length > 0)
      .map(({ index, replicas, addingReplicas, removingReplicas }) => ({
        partitionIndex: index,
        replicas: [...replicas],
        addingReplicas: [...addingReplicas],
        removingReplicas: [...removingReplicas],
      }));
    return partitions.length === 0 ? [] : [{ name, partitions }];
  });
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics: moving };
}
