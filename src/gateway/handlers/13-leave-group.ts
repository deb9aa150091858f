import { leaveGroupApi } from '../../wire/apis/13-leave-group.ts';
import { groupHandler } from '../groups.ts';

export const leaveGroup = groupHandler({
  api: leaveGroupApi,
  min: 0,
  max: 5,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ errorCode, members: [], throttleTimeMs: 0 }),
});
