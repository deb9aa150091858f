import { ErrorCode } from '../../model/errors.ts';
import { SHARE_GROUP_STATE_TOPIC } from '../../model/ids.ts';
import {
  shareGroupHeartbeatApi,
  type ShareGroupHeartbeatResponse,
} from '../../wire/apis/76-share-group-heartbeat.ts';
import { groupHandler } from '../groups.ts';
import { release } from '../share/acknowledge.ts';

/** Whoever hears it is a member no more, or never was one. */
const GONE: readonly number[] = [ErrorCode.FENCED_MEMBER_EPOCH, ErrorCode.UNKNOWN_MEMBER_ID];

/**
 * Partitions that it gives out want a state: the topic for those is made with the first one. Who is told that it is
 * out has no records any more; Kafka leaves them to it until its locks or its connection end. Who leaves ends its
 * session itself.
 */
export const shareGroupHeartbeat = groupHandler({
  api: shareGroupHeartbeatApi,
  min: 1,
  max: 1,
  feature: 'share.version',
  topic: SHARE_GROUP_STATE_TOPIC,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
  beat: ({ groupId, memberId, memberEpoch, rackId, subscribedTopicNames }) => ({
    groupId,
    memberId,
    // What has not changed is left out.
    alive: memberEpoch > 0 && rackId === null && subscribedTopicNames === null ? `${memberEpoch}` : undefined,
    again: (first) => ({ ...(first as ShareGroupHeartbeatResponse), assignment: null }),
  }),
  answered({ gateway, caller }, { groupId, memberId }, { errorCode }) {
    if (!GONE.includes(errorCode)) return;
    const session = gateway.shareSessions.of({ groupId, memberId, principal: caller.principal });
    if (session === undefined) return;
    gateway.shareSessions.close(session);
    release(gateway, session);
  },
});
