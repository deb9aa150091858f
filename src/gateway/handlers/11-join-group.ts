import { joinGroupApi } from '../../wire/apis/11-join-group.ts';
import { groupHandler } from '../groups.ts';

export const joinGroup = groupHandler({
  api: joinGroupApi,
  min: 0,
  max: 9,
  mayWait: true,
  groupId: (request) => request.groupId,
  refuse: (errorCode, { memberId }) => ({
    errorCode,
    protocolName: '',
    leader: '',
    memberId,
    members: [],
    throttleTimeMs: 0,
  }),
});
