import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../../wire/apis/68-consumer-group-heartbeat.ts';
import { groupHandler } from '../groups.ts';

export const consumerGroupHeartbeat = groupHandler({
  api: consumerGroupHeartbeatApi,
  min: 0,
  max: 1,
  feature: 'group.version',
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
  beat: (request) => ({
    groupId: request.groupId,
    memberId: request.memberId,
    alive: saysNoMore(request) ? `${request.memberEpoch} ${request.instanceId}` : undefined,
    again: (first) => ({ ...(first as ConsumerGroupHeartbeatResponse), assignment: null }),
  }),
});

/** Than that its member lives: what has not changed is left out (KIP-848). */
function saysNoMore(request: ConsumerGroupHeartbeatRequest): boolean {
  const { memberEpoch, rackId, serverAssignor, topicPartitions } = request;
  const { subscribedTopicNames, subscribedTopicRegex } = request;
  const changes = [rackId, serverAssignor, topicPartitions, subscribedTopicNames, subscribedTopicRegex];
  return memberEpoch > 0 && changes.every((said) => said === null);
}
