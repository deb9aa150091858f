import { ErrorCode } from '../../model/errors.ts';
import type { Uuid } from '../../model/ids.ts';
import { AcknowledgeType } from '../../share/index.ts';
import {
  shareAcknowledgeApi,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from '../../wire/apis/79-share-acknowledge.ts';
import { mayShare } from '../access/may-read.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import type { Gather } from '../gather.ts';
import { resolvePartition } from '../topics.ts';
import {
  FINAL_SHARE_EPOCH,
  partitionKey,
  type SharedPartition,
  type ShareSession,
} from './share-sessions.ts';

type AskedTopics = ShareAcknowledgeRequest['topics'];
export type Batches = AskedTopics[number]['partitions'][number]['acknowledgementBatches'];

/** What a request says of records in one partition. */
export interface Acknowledged extends SharedPartition {
  batches: Batches;
}

/** What became of it. */
export interface AcknowledgedPartition extends SharedPartition {
  errorCode: number;
}

/** All that is said of records in a request, partition by partition. */
export function acknowledgedIn(topics: AskedTopics): Acknowledged[] {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex: partition, acknowledgementBatches: batches }) =>
      batches.length === 0 ? [] : [{ topicId, partition, batches }],
    ),
  );
}

/** Whether batches rise, and say of each record what may be said of it. */
function areValid(batches: Batches, mayRenew: boolean): boolean {
  let nextOffset = 0;
  return batches.every(({ firstOffset, lastOffset, acknowledgeTypes: types }) => {
    const isInOrder = firstOffset >= nextOffset && lastOffset >= firstOffset;
    nextOffset = lastOffset + 1;
    const isCounted = types.length === 1 || types.length === lastOffset - firstOffset + 1;
    const most = mayRenew ? AcknowledgeType.RENEW : AcknowledgeType.REJECT;
    return isInOrder && isCounted && types.every((type) => type >= AcknowledgeType.GAP && type <= most);
  });
}

interface Acknowledging {
  session: ShareSession;
  epoch: number;
  isRenewAck: boolean;
  acknowledged: readonly Acknowledged[];
}

/**
 * Tells the shards what a member says of its records, and, in its session's last request, that it has nothing any
 * more. `gather` is left once all have answered.
 * @returns what is filled with their answers: of each partition of which something was said.
 */
export function acknowledge(
  call: Call,
  gather: Gather,
  { session, epoch, isRenewAck, acknowledged }: Acknowledging,
): { results: AcknowledgedPartition[]; lockTimeoutMs: number } {
  const told = { results: [] as AcknowledgedPartition[], lockTimeoutMs: 0 };
  const said = new Set<string>();
  for (const { topicId, partition, batches } of acknowledged) {
    const result = { topicId, partition, errorCode: ErrorCode.NONE as number };
    told.results.push(result);
    const place = mayShare(call.connection.access, { topicId })
      ? resolvePartition(call.gateway.image, { topicId }, partition)
      : { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    if ('errorCode' in place) result.errorCode = place.errorCode;
    else if (!areValid(batches, isRenewAck)) result.errorCode = ErrorCode.INVALID_REQUEST;
    if (result.errorCode !== ErrorCode.NONE || !('shard' in place)) continue;
    said.add(partitionKey(result));
    gather.enter();
    const body = partBody(session, epoch, { topicId, partition, batches });
    call.askAs(shareAcknowledgeApi.key, shareAcknowledgeApi.versions.max, place.shard, body, (reply) => {
      const response = reply.body as ShareAcknowledgeResponse | undefined;
      result.errorCode =
        reply.errorCode ?? response?.responses[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
      told.lockTimeoutMs = Math.max(told.lockTimeoutMs, response?.acquisitionLockTimeoutMs ?? 0);
      gather.leave();
    });
  }
  if (epoch === FINAL_SHARE_EPOCH) release(call.gateway, session, said);
  return told;
}

/** The member has nothing any more of the partitions of its session, but for those that were told so already. */
export function release(
  gateway: Gateway,
  session: ShareSession,
  told: ReadonlySet<string> = new Set(),
): void {
  for (const { topicId, partition } of session.partitions.values()) {
    if (told.has(partitionKey({ topicId, partition }))) continue;
    const place = resolvePartition(gateway.image, { topicId }, partition);
    if ('errorCode' in place) continue;
    const correlationId = gateway.expect(() => {});
    const { key: apiKey, versions } = shareAcknowledgeApi;
    gateway.link.request({
      shard: place.shard,
      from: { link: session.link, correlationId },
      caller: { principal: session.principal, clientId: '', clientHost: '' },
      apiKey,
      apiVersion: versions.max,
      body: partBody(session, FINAL_SHARE_EPOCH, { topicId, partition, batches: [] }),
    });
  }
}

function partBody(
  { groupId, memberId }: ShareSession,
  shareSessionEpoch: number,
  { topicId, partition: partitionIndex, batches }: Acknowledged,
): ShareAcknowledgeRequest {
  const partitions = [{ partitionIndex, acknowledgementBatches: batches }];
  return { groupId, memberId, shareSessionEpoch, isRenewAck: false, topics: [{ topicId, partitions }] };
}

/** Whose request it is, as far as it says so. */
export function memberOf(
  call: Call,
  { groupId, memberId }: { groupId: string | null; memberId: string | null },
): { groupId: string; memberId: string; principal: string } | undefined {
  if (!groupId || !memberId) return undefined;
  return { groupId, memberId, principal: call.caller.principal };
}

/** By topic, as answers list partitions. */
export function byTopic<P>(
  parts: readonly { topicId: Uuid; answer: P }[],
): { topicId: Uuid; partitions: P[] }[] {
  const topics = new Map<Uuid, P[]>();
  for (const { topicId, answer } of parts) {
    const some = topics.get(topicId);
    if (some === undefined) topics.set(topicId, [answer]);
    else some.push(answer);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
