import { ErrorCode } from '../model/errors.ts';
import type { Context } from './context.ts';
import { AUTHORIZED_OPERATIONS_NOT_ASKED } from './describe.ts';
import { type EpochPartitions, listed, type Partitions } from './partitions.ts';

/** Why there is no group of that kind, in Kafka's words. @param other the group of another kind that has the name. */
export function noGroup(
  groupId: string,
  other: object | undefined,
  kind: 'classic' | 'consumer' | 'share',
): { errorCode: number; errorMessage: string } {
  const why = other === undefined ? 'not found' : `is not a ${kind} group`;
  return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} ${why}.` };
}

/** What is said of a group of KIP-848 or KIP-932 before anything is known of it, or why that is all. */
export function undescribed(groupId: string, errorCode: number = ErrorCode.NONE) {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: AUTHORIZED_OPERATIONS_NOT_ASKED,
  };
}

/** Topics that are gone have no name, and are left out. */
export function named({ cluster }: Context, partitions: Partitions | EpochPartitions) {
  const topicPartitions = listed(partitions).flatMap(({ topicId, partitions: some }) => {
    const topicName = cluster.topicById(topicId)?.name;
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: some }];
  });
  return { topicPartitions };
}
