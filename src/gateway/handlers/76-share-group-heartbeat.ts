import { SHARE_GROUP_STATE_TOPIC } from '../../model/ids.ts';
import { shareGroupHeartbeatApi } from '../../wire/apis/76-share-group-heartbeat.ts';
import { groupHandler } from '../groups.ts';

/** Partitions that it gives out want a state: the topic for those is made with the first one. */
export const shareGroupHeartbeat = groupHandler({
  api: shareGroupHeartbeatApi,
  min: 1,
  max: 1,
  feature: 'share.version',
  topic: SHARE_GROUP_STATE_TOPIC,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
});
