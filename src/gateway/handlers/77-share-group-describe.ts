import {
  type ShareGroupDescribeResponse,
  shareGroupDescribeApi,
} from '../../wire/apis/77-share-group-describe.ts';
import { ErrorCode } from '../../model/errors.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { describeEach, hasFeature } from '../groups.ts';
import { handler } from '../handler.ts';

type Group = ShareGroupDescribeResponse['groups'][number];

/** States, members and assignments of share groups, each group from its coordinator. */
export const shareGroupDescribe = handler({
  api: shareGroupDescribeApi,
  min: 1,
  max: 1,
  handle(call, request) {
    const { groupIds, includeAuthorizedOperations } = request;
    if (!hasFeature(call, 'share.version')) {
      const groups = groupIds.map((groupId) => refused(groupId, ErrorCode.UNSUPPORTED_VERSION));
      return call.reply({ throttleTimeMs: 0, groups });
    }
    describeEach(call, {
      groupIds,
      includeAuthorizedOperations,
      part: (groupId) => ({ ...request, groupIds: [groupId] }),
      refused,
    });
  },
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
