import type { Millis, Uuid } from '../../model/ids.ts';
import type { FetchRequest } from '../../wire/apis/01-fetch.ts';
import type { FetchedPartition } from '../../wire/fetched.ts';
import type { Part, Wanted } from './fetch-call.ts';

/** Epochs with a meaning: the first opens a session, the last asks without one. Either closes the one it names. */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;

/** What one partition costs us, its name apart. */
const PARTITION_BYTES = 512;

/** One partition as its client last asked for it, and what it was last told. */
export interface SessionPartition extends Wanted {
  /** -1 when it must be told again whatever it is. */
  highWatermark: number;
  logStartOffset: number;
}

/** What a client need not say again (KIP-227). Plain data. */
export interface FetchSession {
  readonly id: number;
  /** It alone may use it. */
  readonly principal: string;
  /** A replica's: it goes last. */
  readonly isFollower: boolean;
  /** Its partitions are named by topic id (v13 on), not by name. */
  readonly usesTopicIds: boolean;
  readonly createdMs: Millis;
  lastUsedMs: Millis;
  /** What its next request must say. */
  epoch: number;
  /** In the order in which they are served: those that gave records go to the end. */
  readonly partitions: Map<string, SessionPartition>;
  /** Estimate of what it holds. */
  sizeBytes: number;
}

/** Grows by one a request, from 1 again past its largest. */
export function nextEpoch(epoch: number): number {
  return epoch === 0x7fff_ffff ? 1 : epoch + 1;
}

/** What a request says of its own. */
export function wantedOf({ topics }: FetchRequest): Wanted[] {
  return topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition })),
  );
}

function keyOf(
  session: FetchSession,
  { topic, topicId }: { topic: string; topicId: Uuid },
  partition: number,
): string {
  return `${session.usesTopicIds ? topicId : topic}/${partition}`;
}

/** Adds what is new, changes what is known, forgets what is no longer wanted: in this order, as Kafka does. */
export function update(session: FetchSession, request: FetchRequest): void {
  for (const wanted of wantedOf(request)) add(session, wanted);
  for (const topic of request.forgottenTopicsData) {
    for (const partition of topic.partitions) remove(session, keyOf(session, topic, partition));
  }
}

function add(session: FetchSession, wanted: Wanted): void {
  const key = keyOf(session, wanted, wanted.partition.partition);
  const known = session.partitions.get(key);
  if (known !== undefined) {
    known.partition = wanted.partition;
    return;
  }
  session.partitions.set(key, { ...wanted, highWatermark: -1, logStartOffset: -1 });
  session.sizeBytes += sizeOf(wanted);
}

function remove(session: FetchSession, key: string): void {
  const known = session.partitions.get(key);
  if (known === undefined) return;
  session.partitions.delete(key);
  session.sizeBytes -= sizeOf(known);
}

/** Of a session that a request with these partitions opens: tells whether it fits before it is made. */
export function sizeOf({ topic }: Wanted): number {
  return PARTITION_BYTES + 2 * topic.length;
}

/** Notes what its client is told of all its partitions. */
export function opened(session: FetchSession, parts: readonly Part[]): void {
  for (const { wanted, response } of parts) {
    add(session, wanted);
    const known = session.partitions.get(keyOf(session, wanted, wanted.partition.partition));
    if (known !== undefined) note(known, response);
  }
}

/** @returns those of which the client must be told, which is noted. */
export function changed(session: FetchSession, parts: readonly Part[]): Part[] {
  return parts.filter(({ wanted, response }) => {
    const key = keyOf(session, wanted, wanted.partition.partition);
    const known = session.partitions.get(key);
    if (known === undefined) return true;
    const hasRecords = (response.records?.length ?? 0) > 0;
    const isNews = hasRecords || differs(known, response);
    note(known, response);
    if (hasRecords) {
      session.partitions.delete(key);
      session.partitions.set(key, known);
    }
    return isNews;
  });
}

function differs(known: SessionPartition, response: FetchedPartition): boolean {
  return (
    response.errorCode !== 0 ||
    known.highWatermark !== response.highWatermark ||
    known.logStartOffset !== response.logStartOffset ||
    response.preferredReadReplica >= 0 ||
    response.divergingEpoch.epoch >= 0
  );
}

/** When an error has gone, its client hears of it, changed or not. */
function note(known: SessionPartition, { errorCode, highWatermark, logStartOffset }: FetchedPartition): void {
  known.highWatermark = errorCode === 0 ? highWatermark : -1;
  known.logStartOffset = logStartOffset;
}
