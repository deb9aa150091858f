import {
  type ConsumerGroupDescribeResponse,
  consumerGroupDescribeApi,
} from '../../wire/apis/69-consumer-group-describe.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { describeEach } from '../groups.ts';
import { handler } from '../handler.ts';

type Group = ConsumerGroupDescribeResponse['groups'][number];

/** States, members and assignments of groups of KIP-848, each group from its coordinator. */
export const consumerGroupDescribe = handler({
  api: consumerGroupDescribeApi,
  min: 0,
  max: 1,
  handle: (call, request) =>
    describeEach(call, {
      groupIds: request.groupIds,
      includeAuthorizedOperations: request.includeAuthorizedOperations,
      part: (groupId) => ({ ...request, groupIds: [groupId] }),
      refused,
    }),
});

export function refused(groupId: string, errorCode: number): Group {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
