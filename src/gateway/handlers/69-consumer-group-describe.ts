import { consumerGroupDescribeApi } from '../../wire/apis/69-consumer-group-describe.ts';
import { describeEach } from '../groups.ts';
import { undescribed } from '../../group/description.ts';
import { handler } from '../handler.ts';

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
      refused: undescribed,
    }),
});
