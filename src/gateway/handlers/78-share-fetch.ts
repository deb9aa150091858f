import { ErrorCode } from '../../model/errors.ts';
import {
  type ShareFetchRequest,
  type ShareFetchResponse,
  shareFetchApi,
} from '../../wire/apis/78-share-fetch.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { hasFeature } from '../groups.ts';
import { handler } from '../handler.ts';
import { leaderEndpoints, leaderHint } from '../leader-hint.ts';
import {
  acknowledge,
  acknowledgedIn,
  type AcknowledgedPartition,
  byTopic,
  memberOf,
} from '../share/acknowledge.ts';
import { ShareFetchCall, type SharedPart, type SharedResponse } from '../share/share-fetch-call.ts';
import {
  FINAL_SHARE_EPOCH,
  INITIAL_SHARE_EPOCH,
  partitionKey,
  type ShareSession,
} from '../share/share-sessions.ts';

/** Gives a member records of the partitions of its session; what it says of those it has comes first. */
export const shareFetch = handler({
  api: shareFetchApi,
  min: 1,
  max: 2,
  readsRecords: true,
  mayWait: true,
  handle(call, request) {
    const session = sessionOf(call, request);
    if (typeof session === 'number') return refuse(call, session);
    const { shareSessionEpoch: epoch, isRenewAck, topics } = request;
    const answer = new Answer(call, session);
    const gather = new Gather(() => answer.send());
    const acknowledged = acknowledgedIn(topics);
    const told = acknowledge(call, gather, { session, epoch, isRenewAck, acknowledged });
    answer.acknowledged = told;
    if (epoch !== FINAL_SHARE_EPOCH && !isRenewAck) {
      gather.enter();
      new ShareFetchCall(call, session, request, (parts, lockTimeoutMs) => {
        answer.fetched = { parts, lockTimeoutMs };
        gather.leave();
      }).start();
    }
    gather.seal();
  },
});

/** The session it goes on with, or why it may not. */
function sessionOf(call: Call, request: ShareFetchRequest): ShareSession | number {
  if (!hasFeature(call, 'share.version')) return ErrorCode.UNSUPPORTED_VERSION;
  const member = memberOf(call, request);
  if (member === undefined || !isSound(request)) return ErrorCode.INVALID_REQUEST;
  const { shareSessionEpoch: epoch, topics, forgottenTopicsData } = request;
  const { shareSessions } = call.gateway;
  const { connection } = call;
  const session =
    epoch === INITIAL_SHARE_EPOCH
      ? shareSessions.open({ ...member, link: connection.id }, call.gateway.limits.shareSessionsMax)
      : shareSessions.use(member, epoch);
  if (session === undefined) return ErrorCode.SHARE_SESSION_LIMIT_REACHED;
  if (typeof session === 'number') return session;
  if (epoch === FINAL_SHARE_EPOCH) {
    shareSessions.close(session);
    return session;
  }
  for (const { topicId, partitions } of topics)
    for (const { partitionIndex: partition } of partitions)
      session.partitions.set(partitionKey({ topicId, partition }), { topicId, partition });
  for (const { topicId, partitions } of forgottenTopicsData)
    for (const partition of partitions) session.partitions.delete(partitionKey({ topicId, partition }));
  return session;
}

/** A session begins without a word of records, and ends without a wish for any; who renews reads nothing. */
function isSound({ shareSessionEpoch: epoch, topics, ...request }: ShareFetchRequest): boolean {
  const says = topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  );
  const wants = topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length === 0),
  );
  const { maxWaitMs, minBytes, maxBytes, maxRecords, isRenewAck } = request;
  if (isRenewAck && Math.max(maxWaitMs, minBytes, maxBytes, maxRecords) > 0) return false;
  if (epoch === INITIAL_SHARE_EPOCH) return !says;
  return epoch !== FINAL_SHARE_EPOCH || !wants;
}

function refuse(call: Call, errorCode: number): void {
  call.reply({ throttleTimeMs: 0, errorCode, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] });
}

/** What a request is told once all is known. */
class Answer {
  readonly #call: Call;
  readonly #session: ShareSession;
  acknowledged: { results: AcknowledgedPartition[]; lockTimeoutMs: number } = {
    results: [],
    lockTimeoutMs: 0,
  };
  fetched: { parts: readonly SharedPart[]; lockTimeoutMs: number } = { parts: [], lockTimeoutMs: 0 };

  constructor(call: Call, session: ShareSession) {
    this.#call = call;
    this.#session = session;
  }

  send(): void {
    const found = new Map<string, SharedPart>();
    for (const part of this.fetched.parts) {
      const { acquiredRecords, errorCode } = part.response;
      if (acquiredRecords.length > 0) this.#goesLast(part);
      if (acquiredRecords.length > 0 || errorCode !== ErrorCode.NONE) found.set(partitionKey(part), part);
    }
    const parts = [...found.values()].map(({ topicId, response }) => ({ topicId, answer: response }));
    for (const { topicId, partition, errorCode } of this.acknowledged.results) {
      const known = found.get(partitionKey({ topicId, partition }));
      if (known !== undefined) known.response.acknowledgeErrorCode = errorCode;
      else parts.push({ topicId, answer: acknowledgedAlone(partition, errorCode) });
    }
    this.#reply(parts);
  }

  /** Next time others come first. */
  #goesLast(part: SharedPart): void {
    const { partitions } = this.#session;
    const known = partitions.get(partitionKey(part));
    if (known === undefined || !partitions.delete(partitionKey(part))) return;
    partitions.set(partitionKey(part), known);
  }

  #reply(parts: readonly { topicId: string; answer: SharedResponse }[]): void {
    const call = this.#call;
    for (const { topicId, answer } of parts) {
      const { errorCode, acknowledgeErrorCode, partitionIndex } = answer;
      answer.currentLeader = leaderHint(call, { topicId }, partitionIndex, errorCode || acknowledgeErrorCode);
    }
    const { acknowledged, fetched } = this;
    const response: ShareFetchResponse = {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      acquisitionLockTimeoutMs: Math.max(acknowledged.lockTimeoutMs, fetched.lockTimeoutMs),
      responses: byTopic(parts),
      nodeEndpoints: leaderEndpoints(
        call,
        parts.map(({ answer }) => answer),
      ),
    };
    call.reply(response);
  }
}

function acknowledgedAlone(partitionIndex: number, acknowledgeErrorCode: number): SharedResponse {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    acknowledgeErrorCode,
    acknowledgeErrorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    records: new Uint8Array(0),
    acquiredRecords: [],
  };
}
