import { heartbeatApi } from '../../wire/apis/12-heartbeat.ts';
import { groupHandler } from '../groups.ts';

export const heartbeat = groupHandler({
  api: heartbeatApi,
  min: 0,
  max: 4,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ errorCode, throttleTimeMs: 0 }),
  beat: ({ groupId, memberId, generationId, groupInstanceId }) => ({
    groupId,
    memberId,
    alive: `${generationId} ${groupInstanceId}`,
    again: (first) => first,
  }),
});
