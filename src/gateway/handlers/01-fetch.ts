import { ErrorCode } from '../../model/errors.ts';
import { type FetchRequest, type FetchResponse, fetchApi } from '../../wire/apis/01-fetch.ts';
import type { Call } from '../call.ts';
import type { FetchedPartition } from '../../wire/fetched.ts';
import { FetchCall, type Part, type Wanted } from '../fetch/fetch-call.ts';
import {
  FINAL_EPOCH,
  type FetchSession,
  INITIAL_EPOCH,
  changed,
  nextEpoch,
  update,
  wantedOf,
} from '../fetch/session.ts';
import { handler } from '../handler.ts';
import { leaderEndpoints, leaderHint } from '../leader-hint.ts';
import { quotaClient } from '../throttle.ts';
import { resolvePartition } from '../topics.ts';

/** Clients before it take KAFKA_STORAGE_ERROR for one that will not pass. */
const STORAGE_ERROR_VERSION = 6;
/** Topics have ids instead of names. */
const TOPIC_IDS_VERSION = 13;
/** Errors tell who leads instead, and where that is (KIP-951). */
const LEADERS_VERSION = 16;

/**
 * Reads, with or without a session (KIP-227) that remembers what a client wants and was told. Left out: preferred
 * replicas.
 */
export const fetch = handler({
  api: fetchApi,
  min: 4,
  max: 18,
  readsRecords: true,
  mayWait: true,
  handle(call, request) {
    const { sessionEpoch } = request;
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) full(call, request);
    else incremental(call, request);
  },
});

/** Says all it wants; opens a session, or has none. */
function full(call: Call, request: FetchRequest): void {
  const { principal } = call.caller;
  const sessions = call.gateway.fetchSessions;
  if (sessions.close(request.sessionId, principal)) call.connection.parked?.dropAll();
  if (isThrottled(call)) return answer(call, {});
  new FetchCall(call, request, wantedOf(request), (parts) => {
    if (request.sessionEpoch === FINAL_EPOCH) return answer(call, { parts });
    const owner = { principal, isFollower: isFollower(request), usesTopicIds: usesTopicIds(call) };
    answer(call, { parts, sessionId: sessions.open(owner, parts) });
  }).start();
}

/** Says what has changed since its session's last request. */
function incremental(call: Call, request: FetchRequest): void {
  if (call.done) return;
  const sessions = call.gateway.fetchSessions;
  const session = sessions.get(request.sessionId, call.caller.principal);
  if (session === undefined) return answer(call, { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND });
  // A client that did not wait for its answer is served as if it had.
  const running = call.connection.runningIn(session.id);
  if (running !== undefined) return running.whenAnswered(() => incremental(call, request));
  if (session.epoch !== request.sessionEpoch) {
    return answer(call, { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH });
  }
  if (session.usesTopicIds !== usesTopicIds(call)) {
    return answer(call, { errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR });
  }
  if (!sessions.use(session, () => update(session, request))) {
    return answer(call, { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND });
  }
  for (const topic of request.forgottenTopicsData) {
    for (const partition of topic.partitions) forget(call, topic, partition);
  }
  // Nothing is noted as told to its client.
  if (isThrottled(call)) return answer(call, { sessionId: session.id });
  if (session.partitions.size > 0) return goOn(call, request, session);
  sessions.close(session.id, session.principal);
  new FetchCall(call, request, wantedOf(request), (parts) => answer(call, { parts })).start();
}

function goOn(call: Call, request: FetchRequest, session: FetchSession): void {
  call.fetchSessionId = session.id;
  new FetchCall(call, request, [...session.partitions.values()], (parts) => {
    // Somebody has used it from elsewhere meanwhile: what this client was told is not what is noted.
    if (session.epoch !== nextEpoch(request.sessionEpoch)) {
      return answer(call, { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id });
    }
    answer(call, { parts: changed(session, parts), sessionId: session.id });
  }).start();
}

/** Its client has read too much of late: nothing is read for it, and it has to wait (KIP-219). */
function isThrottled({ gateway: { quotas, clock }, caller }: Call): boolean {
  return !quotas.isEmpty && quotas.record('consumer_byte_rate', quotaClient(caller), 0, clock.now()) > 0;
}

function forget(call: Call, topic: { topic: string; topicId: string }, partition: number): void {
  const place = resolvePartition(call.gateway.image, topic, partition);
  if ('shard' in place) call.connection.parked?.drop(place.shard);
}

function usesTopicIds(call: Call): boolean {
  return call.version >= TOPIC_IDS_VERSION;
}

/** The field moved with v15. */
function isFollower({ replicaId, replicaState }: FetchRequest): boolean {
  return Math.max(replicaId, replicaState.replicaId) >= 0;
}

function answer(
  call: Call,
  {
    errorCode = 0,
    sessionId = 0,
    parts = [],
  }: { errorCode?: number; sessionId?: number; parts?: readonly Part[] },
): void {
  const responses: FetchResponse['responses'] = [];
  const failed: FetchedPartition[] = [];
  let last: Wanted | undefined;
  for (const { wanted, response } of parts) {
    if (wanted.topic !== last?.topic || wanted.topicId !== last.topicId) {
      responses.push({ topic: wanted.topic, topicId: wanted.topicId, partitions: [] });
    }
    last = wanted;
    responses.at(-1)?.partitions.push(response);
    if (response.errorCode === 0) continue;
    if (response.errorCode === ErrorCode.KAFKA_STORAGE_ERROR && call.version < STORAGE_ERROR_VERSION) {
      response.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    }
    if (call.version < LEADERS_VERSION) continue;
    response.currentLeader = leaderHint(call, wanted, response.partitionIndex, response.errorCode);
    failed.push(response);
  }
  const nodeEndpoints = leaderEndpoints(call, failed);
  const { counters, image } = call.gateway;
  counters.fetched(responses, (topicId) => image.topicById(topicId)?.name);
  call.reply({ throttleTimeMs: 0, errorCode, sessionId, responses, nodeEndpoints });
}
