import { consumerGroupHeartbeatApi } from '../../wire/apis/68-consumer-group-heartbeat.ts';
import { groupHandler } from '../groups.ts';

export const consumerGroupHeartbeat = groupHandler({
  api: consumerGroupHeartbeatApi,
  min: 0,
  max: 1,
  feature: 'group.version',
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
});
