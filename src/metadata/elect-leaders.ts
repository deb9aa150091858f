import { ErrorCode } from '../model/errors.ts';
import type { ElectLeadersRequest, ElectLeadersResponse } from '../wire/apis/43-elect-leaders.ts';
import type { MetadataImage, PartitionImage } from './image.ts';

type Result = ElectLeadersResponse['replicaElectionResults'][number];
type PartitionResult = Result['partitionResult'][number];

const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const;

/**
 * What an election comes to where a partition has one replica: it leads, or cannot be reached. Of all partitions only
 * those are told of where something was to be done.
 */
export function electLeaders(
  image: MetadataImage,
  { electionType, topicPartitions }: ElectLeadersRequest,
): ElectLeadersResponse {
  const respond = (errorCode: number, replicaElectionResults: Result[]) => ({
    throttleTimeMs: 0,
    errorCode,
    replicaElectionResults,
  });
  if (electionType !== ElectionType.PREFERRED && electionType !== ElectionType.UNCLEAN)
    return respond(ErrorCode.INVALID_REQUEST, []);
  const all = image.topics().map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ index }) => index),
  }));
  const results = (topicPartitions ?? all).flatMap(({ topic, partitions }): Result[] => {
    const partitionResult = partitions
      .map((partition) => resultOf(image, { topic, partition, electionType }))
      .filter(({ errorCode }) => topicPartitions !== null || errorCode !== ErrorCode.ELECTION_NOT_NEEDED);
    return partitionResult.length === 0 && topicPartitions === null ? [] : [{ topic, partitionResult }];
  });
  return respond(ErrorCode.NONE, results);
}

function resultOf(
  image: MetadataImage,
  {
    topic: name,
    partition: partitionId,
    electionType,
  }: { topic: string; partition: number; electionType: number },
): PartitionResult {
  const refused = (errorCode: number, errorMessage: string | null = null) => ({
    partitionId,
    errorCode,
    errorMessage,
  });
  const topic = image.topic(name);
  if (!topic) return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${name}`);
  const partition = image.partition(topic.id, partitionId);
  if (!partition)
    return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${partitionId}`);
  const isPreferred = electionType === ElectionType.PREFERRED;
  if (isPreferred ? hasPreferredLeader(partition) : partition.leader >= 0)
    return refused(ErrorCode.ELECTION_NOT_NEEDED);
  return refused(
    isPreferred ? ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  );
}

function hasPreferredLeader({ leader, replicas }: PartitionImage): boolean {
  return leader === replicas[0];
}
