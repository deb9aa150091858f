import { ErrorCode } from '../../model/errors.ts';
import {
  shareAcknowledgeApi,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from '../../wire/apis/79-share-acknowledge.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { hasFeature } from '../groups.ts';
import { handler } from '../handler.ts';
import { leaderEndpoints, leaderHint } from '../leader-hint.ts';
import { acknowledge, acknowledgedIn, byTopic, memberOf } from '../share/acknowledge.ts';
import { FINAL_SHARE_EPOCH, INITIAL_SHARE_EPOCH, type ShareSession } from '../share/share-sessions.ts';

/** Takes what a member says of the records it has; with its session's last request all others are released. */
export const shareAcknowledge = handler({
  api: shareAcknowledgeApi,
  min: 1,
  max: 2,
  handle(call, request) {
    const { shareSessionEpoch: epoch, isRenewAck, topics } = request;
    const session = sessionOf(call, request);
    if (typeof session === 'number') {
      const refusal = { throttleTimeMs: 0, errorCode: session, acquisitionLockTimeoutMs: 0 };
      return call.reply({ ...refusal, responses: [], nodeEndpoints: [] });
    }
    const gather = new Gather(() => {
      const parts = told.results.map(({ topicId, partition: partitionIndex, errorCode }) => {
        const currentLeader = leaderHint(call, { topicId }, partitionIndex, errorCode);
        return { topicId, answer: { partitionIndex, errorCode, errorMessage: null, currentLeader } };
      });
      const response: ShareAcknowledgeResponse = {
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        acquisitionLockTimeoutMs: told.lockTimeoutMs,
        responses: byTopic(parts),
        nodeEndpoints: leaderEndpoints(
          call,
          parts.map(({ answer }) => answer),
        ),
      };
      call.reply(response);
    });
    const acknowledged = acknowledgedIn(topics);
    const told = acknowledge(call, gather, { session, epoch, isRenewAck, acknowledged });
    gather.seal();
  },
});

/** The session it goes on with, or why it may not. */
function sessionOf(call: Call, request: ShareAcknowledgeRequest): ShareSession | number {
  if (!hasFeature(call, 'share.version')) return ErrorCode.UNSUPPORTED_VERSION;
  const member = memberOf(call, request);
  if (member === undefined) return ErrorCode.INVALID_REQUEST;
  if (request.shareSessionEpoch === INITIAL_SHARE_EPOCH) return ErrorCode.INVALID_SHARE_SESSION_EPOCH;
  const session = call.gateway.shareSessions.use(member, request.shareSessionEpoch);
  if (typeof session === 'number') return session;
  if (request.shareSessionEpoch === FINAL_SHARE_EPOCH) call.gateway.shareSessions.close(session);
  return session;
}
