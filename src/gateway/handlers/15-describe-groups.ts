import { type DescribeGroupsResponse, describeGroupsApi } from '../../wire/apis/15-describe-groups.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { describeEach } from '../groups.ts';
import { handler } from '../handler.ts';

type Group = DescribeGroupsResponse['groups'][number];

/** States and members, each group from its coordinator. */
export const describeGroups = handler({
  api: describeGroupsApi,
  min: 0,
  max: 6,
  handle: (call, request) =>
    describeEach(call, {
      groupIds: request.groups,
      includeAuthorizedOperations: request.includeAuthorizedOperations,
      part: (groupId) => ({ ...request, groups: [groupId] }),
      refused,
    }),
});

export function refused(groupId: string, errorCode: number): Group {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
