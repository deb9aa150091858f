import { shareGroupDescribeApi } from '../../wire/apis/77-share-group-describe.ts';
import { ErrorCode } from '../../model/errors.ts';
import { describeEach, hasFeature } from '../groups.ts';
import { undescribed } from '../../group/description.ts';
import { handler } from '../handler.ts';

/** States, members and assignments of share groups, each group from its coordinator. */
export const shareGroupDescribe = handler({
  api: shareGroupDescribeApi,
  min: 1,
  max: 1,
  handle(call, request) {
    const { groupIds, includeAuthorizedOperations } = request;
    if (!hasFeature(call, 'share.version')) {
      const groups = groupIds.map((groupId) => undescribed(groupId, ErrorCode.UNSUPPORTED_VERSION));
      return call.reply({ throttleTimeMs: 0, groups });
    }
    describeEach(call, {
      groupIds,
      includeAuthorizedOperations,
      part: (groupId) => ({ ...request, groupIds: [groupId] }),
      refused: undescribed,
    });
  },
});
