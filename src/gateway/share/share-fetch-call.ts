import { ErrorCode } from '../../model/errors.ts';
import type { ShardReply, ShardId } from '../../ports/shard-link.ts';
import type { ShareFetchRequest, ShareFetchResponse } from '../../wire/apis/78-share-fetch.ts';
import { NO_RECORDS } from '../../wire/fetched.ts';
import { mayShare } from '../access/may-read.ts';
import type { Call } from '../call.ts';
import { resolvePartition } from '../topics.ts';
import type { SharedPartition, ShareSession } from './share-sessions.ts';

export type SharedResponse = ShareFetchResponse['responses'][number]['partitions'][number];

/** One partition and what it brought. */
export interface SharedPart extends SharedPartition {
  readonly shard: ShardId | undefined;
  readonly response: SharedResponse;
}

/**
 * One request's way to the shards of its session's partitions. First all are asked, one after the other, as long as the
 * client's limits allow. When none has anything each keeps the question until it has, or `maxWaitMs` ends: the first
 * answer ends the call, since what a shard gives is the member's from then on. For the same reason a member that waits
 * for several bytes asks at first only for what is its partition's share of them, and all partitions for whatever they
 * have once one of them had it (when all together have enough, one of them has), or `maxWaitMs` ends.
 */
export class ShareFetchCall {
  readonly #call: Call;
  readonly #request: ShareFetchRequest;
  readonly #session: ShareSession;
  readonly #parts: SharedPart[];
  readonly #done: (parts: readonly SharedPart[], lockTimeoutMs: number) => void;
  #freeBytes: number;
  #freeRecords: number;
  #lockTimeoutMs = 0;
  #isDone = false;
  /** Whatever there is now is taken, and ends it. */
  #isLastCall = false;
  /** Questions that shards keep. */
  readonly #parked = new Map<SharedPart, number>();

  constructor(
    call: Call,
    session: ShareSession,
    request: ShareFetchRequest,
    done: (parts: readonly SharedPart[], lockTimeoutMs: number) => void,
  ) {
    this.#call = call;
    this.#request = request;
    this.#session = session;
    this.#done = done;
    const { credit } = call.connection;
    const { fetchMaxBytes } = call.gateway.limits;
    this.#freeBytes = Math.max(1, Math.min(request.maxBytes, fetchMaxBytes, credit.freeBytes));
    this.#freeRecords = Math.max(1, request.maxRecords);
    this.#parts = Array.from(session.partitions.values(), (wanted) => this.#part(wanted));
  }

  #part({ topicId, partition }: SharedPartition): SharedPart {
    const place = mayShare(this.#call.connection.access, { topicId })
      ? resolvePartition(this.#call.gateway.image, { topicId }, partition)
      : { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    const response = emptyResponse(partition, 'errorCode' in place ? place.errorCode : ErrorCode.NONE);
    return { topicId, partition, shard: 'shard' in place ? place.shard : undefined, response };
  }

  start(): void {
    this.#session.fetches.add(this);
    const [only, ...others] = this.#askable;
    if (only === undefined || this.#hasFailed) return this.#finish();
    // Where there is one alone it may keep the question at once.
    const waits = others.length === 0 || this.#waitsForMore;
    if (waits && this.#request.maxWaitMs > 0) this.#wait();
    else this.#askFrom(0);
  }

  get #askable(): SharedPart[] {
    return this.#parts.filter(({ shard }) => shard !== undefined);
  }

  /** Than for anything at all. */
  get #waitsForMore(): boolean {
    return this.#request.minBytes > 1;
  }

  get #hasFailed(): boolean {
    return this.#parts.some(({ response }) => response.errorCode !== ErrorCode.NONE);
  }

  get #hasRecords(): boolean {
    return this.#parts.some(({ response }) => response.acquiredRecords.length > 0);
  }

  #askFrom(at: number): void {
    if (this.#isDone) return;
    const part = this.#parts[at];
    const isFull = this.#freeBytes <= 0 || this.#freeRecords <= 0;
    if (part === undefined || isFull) return this.#allAnswered();
    // What it gave in its turn is not lost.
    if (part.shard === undefined || part.response.acquiredRecords.length > 0) return this.#askFrom(at + 1);
    this.#ask(part, 0, (reply) => {
      this.#take(part, reply);
      this.#askFrom(at + 1);
    });
  }

  #allAnswered(): void {
    const isOver = this.#hasRecords || this.#hasFailed || this.#request.maxWaitMs <= 0;
    if (isOver || this.#isLastCall) this.#finish();
    else this.#wait();
  }

  #wait(): void {
    const { clock } = this.#call.gateway;
    const { maxWaitMs } = this.#request;
    for (const part of this.#askable) {
      if (this.#isDone || this.#isLastCall) return;
      this.#ask(part, maxWaitMs, (reply) => {
        this.#parked.delete(part);
        this.#take(part, reply);
        this.#endWait();
      });
    }
    if (!this.#isDone && !this.#isLastCall) this.#call.wakeAt(clock.now() + maxWaitMs, () => this.#endWait());
  }

  /** Where there may be something that was too little by itself, it is asked for. */
  #endWait(): void {
    if (this.#isDone || this.#isLastCall) return;
    if (!this.#waitsForMore || this.#hasFailed) return this.#finish();
    this.#isLastCall = true;
    this.#callOff();
    this.#askFrom(0);
  }

  #ask(part: SharedPart, maxWaitMs: number, onReply: (reply: ShardReply) => void): void {
    const { topicId, partition: partitionIndex } = part;
    const { groupId, memberId } = this.#session;
    const body: ShareFetchRequest = {
      ...this.#request,
      groupId,
      memberId,
      maxWaitMs,
      minBytes: Math.ceil(Math.min(this.#request.minBytes, this.#freeBytes) / this.#askable.length),
      maxRecords: this.#freeRecords,
      topics: [{ topicId, partitions: [{ partitionIndex, acknowledgementBatches: [] }] }],
      forgottenTopicsData: [],
    };
    if (part.shard === undefined) return;
    let isAnswered = false;
    const ask = this.#call.ask(
      part.shard,
      body,
      (reply) => {
        isAnswered = true;
        onReply(reply);
      },
      { credit: this.#freeBytes },
    );
    if (!isAnswered) this.#parked.set(part, ask);
  }

  #take(part: SharedPart, reply: ShardReply): void {
    const { response } = part;
    const body = reply.body as ShareFetchResponse | undefined;
    if (reply.errorCode !== undefined) response.errorCode = reply.errorCode;
    else Object.assign(response, body?.responses[0]?.partitions[0]);
    this.#lockTimeoutMs = Math.max(this.#lockTimeoutMs, body?.acquisitionLockTimeoutMs ?? 0);
    const bytes = response.records.length;
    for (const { firstOffset, lastOffset } of response.acquiredRecords)
      this.#freeRecords -= lastOffset - firstOffset + 1;
    this.#freeBytes -= bytes;
    this.#call.hold(bytes);
  }

  /** Its session is over. */
  end(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#session.fetches.delete(this);
    this.#callOff();
    this.#done(this.#parts, this.#lockTimeoutMs);
  }

  #callOff(): void {
    for (const [{ shard }, ask] of this.#parked) if (shard !== undefined) this.#call.cancel(shard, ask);
    this.#parked.clear();
  }
}

function emptyResponse(partitionIndex: number, errorCode: number): SharedResponse {
  return {
    partitionIndex,
    errorCode,
    errorMessage: null,
    acknowledgeErrorCode: ErrorCode.NONE,
    acknowledgeErrorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    records: NO_RECORDS,
    acquiredRecords: [],
  };
}
