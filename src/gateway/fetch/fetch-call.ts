import { ErrorCode } from '../../model/errors.ts';
import type { Uuid } from '../../model/ids.ts';
import type { ShardId, ShardReply } from '../../ports/shard-link.ts';
import type { FetchRequest, FetchResponse } from '../../wire/apis/01-fetch.ts';
import { type FetchedPartition, NO_RECORDS, emptyFetched } from '../../wire/fetched.ts';
import { BY_KEY_MAX_BYTES, onlyOwnRecords } from '../access/by-key.ts';
import { mayRead } from '../access/may-read.ts';
import type { Call } from '../call.ts';
import { quotaClient } from '../throttle.ts';
import { resolvePartition } from '../topics.ts';
import type { ParkedFetch, Question } from './parked-fetches.ts';

export type FetchPartition = FetchRequest['topics'][number]['partitions'][number];

/** One partition as a client asks for it: by name below v13, by id from there on. */
export interface Wanted {
  topic: string;
  topicId: Uuid;
  partition: FetchPartition;
}

/** One partition and what is known of its answer. */
export interface Part {
  readonly wanted: Wanted;
  readonly shard: ShardId | undefined;
  readonly response: FetchedPartition;
  /** To be asked. */
  isDue: boolean;
  /** Its last answer brought something. */
  hasGrown: boolean;
  /** Held by its shard until there is more. */
  parked: ParkedFetch | undefined;
}

/**
 * One request's way through the shards. First all partitions are asked in their order, as far as the client's limits
 * and its connection's credit allow; those that an earlier request left parked are not asked again. When all of it is
 * less than `minBytes`, each stays parked until it has its share of what is missing (when all together have enough,
 * one of them has), or `maxWaitMs` ends.
 */
export class FetchCall {
  readonly #call: Call;
  readonly #request: FetchRequest;
  readonly #parts: Part[] = [];
  readonly #done: (parts: readonly Part[]) => void;
  readonly #maxBytes: number;
  readonly #minBytes: number;
  readonly #count: number;
  /** Next part to ask. */
  #next = 0;
  #unanswered = 0;
  /** Bytes that asked parts may still bring. */
  #reservedBytes = 0;
  #haveBytes = 0;
  #asking = false;
  #failed = false;
  #timeUp = false;
  #waiting = false;
  /** Nothing that comes now is part of the answer any more. */
  #isFinishing = false;

  /** @param done is called once, with all partitions in the order of `wanted`, unless the client goes. */
  constructor(
    call: Call,
    request: FetchRequest,
    wanted: readonly Wanted[],
    done: (parts: readonly Part[]) => void,
  ) {
    this.#call = call;
    this.#request = request;
    this.#done = done;
    const { credit } = call.connection;
    // At least one: the first batch is given whole, so that no reader gets stuck.
    this.#maxBytes = Math.max(
      1,
      Math.min(
        request.maxBytes,
        call.gateway.limits.fetchMaxBytes,
        credit.freeBytes,
        quotaBytes(call),
        call.connection.access?.scope?.isByKey === true ? BY_KEY_MAX_BYTES : Infinity,
      ),
    );
    this.#minBytes = Math.min(request.minBytes, this.#maxBytes);
    this.#count = wanted.length;
    for (const one of wanted) this.#parts.push(this.#part(one));
  }

  start(): void {
    this.#askMore();
  }

  #part(wanted: Wanted): Part {
    const { image } = this.#call.gateway;
    const place = mayRead(this.#call.connection.access, wanted)
      ? resolvePartition(image, wanted, wanted.partition.partition)
      : { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    if ('errorCode' in place) {
      this.#failed = true;
      const response = emptyFetched(wanted.partition.partition, place.errorCode);
      return { wanted, shard: undefined, response, isDue: false, hasGrown: false, parked: undefined };
    }
    const { shard } = place;
    const parked = this.#takeUp(wanted.partition, shard);
    const response = parked?.response ?? emptyFetched(wanted.partition.partition, ErrorCode.NONE);
    const part = { wanted, shard, response, isDue: parked === undefined, hasGrown: false, parked };
    if (parked !== undefined) this.#call.expectAgain(shard, parked.ask, (reply) => this.#later(part, reply));
    return part;
  }

  /** A request that will not wait wants to know what there is now: its shard is asked. */
  #takeUp(partition: FetchPartition, shard: ShardId): ParkedFetch | undefined {
    const kept = this.#call.connection.parked;
    return this.#request.maxWaitMs > 0
      ? kept?.take(shard, this.#question(partition, this.#shareBytes))
      : undefined;
  }

  #question(partition: FetchPartition, minBytes: number): Question {
    return { partition, minBytes, isolationLevel: this.#request.isolationLevel };
  }

  /** Of what is missing, each partition's. */
  get #shareBytes(): number {
    return Math.ceil((this.#minBytes - this.#haveBytes) / this.#count);
  }

  /** Asks as many parts as the byte budget allows; what they do not use frees it for the next. */
  #askMore(): void {
    if (this.#asking || this.#isFinishing) return;
    this.#asking = true;
    while (this.#next < this.#parts.length) {
      const part = this.#parts[this.#next] as Part;
      const free = this.#maxBytes - this.#haveBytes - this.#reservedBytes;
      if (part.isDue && free <= 0 && this.#unanswered > 0) break;
      this.#next++;
      if (part.isDue) this.#ask(part, free);
    }
    this.#asking = false;
    if (!this.#call.done && this.#next === this.#parts.length && this.#unanswered === 0) this.#allAnswered();
  }

  /** What it brings takes the place of what the part has already. */
  #ask(part: Part, freeBytes: number): void {
    const heldBytes = sizeOf(part.response);
    const limit = Math.min(part.wanted.partition.partitionMaxBytes, heldBytes + freeBytes);
    const credit = freeBytes <= 0 ? heldBytes : Math.max(1, limit);
    const reserved = Math.max(0, credit - heldBytes);
    const minBytes = heldBytes + this.#shareBytes;
    part.isDue = false;
    this.#reserve(reserved);
    this.#unanswered++;
    let first = true;
    const onReply = (reply: ShardReply) => {
      if (!first) return this.#later(part, reply);
      first = false;
      this.#unanswered--;
      this.#reserve(-reserved);
      this.#take(part, reply);
      if (reply.parked) part.parked = this.#parkedAs(part, minBytes, reply);
      this.#askMore();
    };
    this.#call.ask(part.shard as ShardId, this.#onePartition(part.wanted, minBytes), onReply, { credit });
  }

  /** What is parked has more to say. */
  #later(part: Part, reply: ShardReply): void {
    if (this.#isFinishing) return;
    if (!reply.parked) {
      part.parked = undefined;
      this.#take(part, reply);
    } else if (part.parked !== undefined) {
      part.parked.isStale = true;
    }
    this.#askMore();
  }

  #askAgain(parts: readonly Part[]): void {
    for (const part of parts) {
      if (part.parked !== undefined) this.#call.cancel(part.parked.shard, part.parked.ask);
      part.parked = undefined;
      part.isDue = true;
    }
    this.#next = 0;
    this.#askMore();
  }

  #reserve(deltaBytes: number): void {
    this.#reservedBytes += deltaBytes;
    this.#call.hold(deltaBytes);
  }

  #onePartition({ topic, topicId, partition }: Wanted, minBytes: number): FetchRequest {
    const parks = !this.#failed && !this.#timeUp && this.#haveBytes < this.#minBytes;
    return {
      ...this.#request,
      maxWaitMs: parks ? this.#request.maxWaitMs : 0,
      minBytes,
      topics: [{ topic, topicId, partitions: [partition] }],
      forgottenTopicsData: [],
    };
  }

  #parkedAs({ wanted, shard, response }: Part, minBytes: number, { to }: ShardReply): ParkedFetch {
    const question = this.#question(wanted.partition, minBytes);
    return { shard: shard as ShardId, ask: to.correlationId, question, response, isStale: false };
  }

  #take(part: Part, reply: ShardReply): void {
    const { response } = part;
    const before = sizeOf(response);
    if (reply.errorCode !== undefined) response.errorCode = reply.errorCode;
    else Object.assign(response, (reply.body as FetchResponse).responses[0]?.partitions[0]);
    const size = sizeOf(response);
    // A batch larger than what is left is kept only when it is the first: no reader gets stuck, no answer explodes.
    if (size > 0 && this.#haveBytes > before && this.#haveBytes + size - before > this.#maxBytes) {
      response.records = NO_RECORDS;
    }
    const grown = sizeOf(response) - before;
    part.hasGrown = grown > 0;
    this.#haveBytes += grown;
    this.#call.hold(grown);
    this.#failed ||= response.errorCode !== 0 || response.divergingEpoch.epoch >= 0;
  }

  get #isEnough(): boolean {
    return this.#haveBytes >= this.#minBytes || this.#failed || this.#count === 0;
  }

  #allAnswered(): void {
    if (this.#isEnough || this.#timeUp || this.#request.maxWaitMs <= 0) return this.#finish();
    const again = this.#parts.filter((part) => this.#mayHaveMore(part));
    if (again.length > 0) return this.#askAgain(again);
    // All have reached their limits.
    if (this.#parts.every(({ parked }) => parked === undefined)) return this.#finish();
    if (this.#waiting) return;
    this.#waiting = true;
    const { clock } = this.#call.gateway;
    this.#call.wakeAt(clock.now() + this.#request.maxWaitMs, () => this.#endWait());
  }

  /** It gave its share; or it has something and waits for a share that was larger before the others gave theirs. */
  #mayHaveMore({ parked, response, hasGrown }: Part): boolean {
    if (parked === undefined) return hasGrown;
    return parked.isStale && parked.question.minBytes > sizeOf(response) + this.#shareBytes;
  }

  /** The client gets what there is by now. */
  #endWait(): void {
    if (this.#isFinishing) return;
    this.#timeUp = true;
    this.#askAgain(this.#parts.filter(({ parked }) => parked?.isStale));
  }

  /** What is parked and has nothing to give stays with the connection; the rest is called off with the call. */
  #finish(): void {
    for (const { parked, response } of this.#parts) {
      if (parked === undefined || sizeOf(response) > 0) continue;
      if (this.#call.connection.keepParked(parked)) this.#call.handOver(parked.ask);
    }
    this.#isFinishing = true;
    const { access } = this.#call.connection;
    if (access?.scope?.isByKey !== true) return this.#done(this.#parts);
    // Each time: what is parked for it may be anybody's.
    const only = onlyOwnRecords(this.#call, access, this.#parts);
    if (only === undefined) return this.#done(this.#parts);
    only.then(
      () => this.#done(this.#parts),
      () => this.#call.close('bad_request'),
    );
  }
}

/** No answer is larger than what its client may read in all windows together. */
function quotaBytes({ gateway: { quotas }, caller }: Call): number {
  return quotas.isEmpty ? Infinity : quotas.burstOf('consumer_byte_rate', quotaClient(caller));
}

function sizeOf({ records }: FetchedPartition): number {
  return records?.length ?? 0;
}
