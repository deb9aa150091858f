import { ErrorCode } from '../../model/errors.ts';
import type { ShardId, ShardReply } from '../../ports/shard-link.ts';
import { type FetchRequest, type FetchResponse, fetchApi } from '../../wire/apis/01-fetch.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';
import { resolvePartition } from '../topics.ts';

type Topic = FetchRequest['topics'][number];
type Partition = Topic['partitions'][number];
type PartitionResponse = FetchResponse['responses'][number]['partitions'][number];

/** One partition of the request and what is known of its answer. */
interface Part {
  topic: Topic;
  partition: Partition;
  shard: ShardId | undefined;
  response: PartitionResponse;
}

const NO_RECORDS = new Uint8Array(0);

/**
 * Reads. First all partitions are asked in request order, as far as `maxBytes` allows. When that is too little, they
 * stay parked at their shards until one of them alone has `minBytes`, or `maxWaitMs` ends. Left out: fetch sessions
 * (every answer says session 0, so clients send whole requests) and preferred replicas.
 */
export const fetch = handler({
  api: fetchApi,
  min: 4,
  max: 18,
  mayWait: true,
  handle(call, request) {
    if (request.sessionId !== 0 && request.sessionEpoch > 0) {
      return call.reply({
        errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
        throttleTimeMs: 0,
        responses: [],
      });
    }
    new FetchCall(call, request).start();
  },
});

class FetchCall {
  readonly #call: Call;
  readonly #request: FetchRequest;
  readonly #parts: Part[] = [];
  readonly #maxBytes: number;
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

  constructor(call: Call, request: FetchRequest) {
    this.#call = call;
    this.#request = request;
    const { limits, freeUnreadBytes } = call.gateway;
    // At least one: the first batch is given whole, so that no reader gets stuck.
    this.#maxBytes = Math.max(1, Math.min(request.maxBytes, limits.fetchMaxBytes, freeUnreadBytes));
  }

  start(): void {
    const { image } = this.#call.gateway;
    for (const topic of this.#request.topics) {
      for (const partition of topic.partitions) {
        const place = resolvePartition(image, topic, partition.partition);
        const response = emptyResponse(partition.partition);
        if ('errorCode' in place) response.errorCode = place.errorCode;
        const shard = 'shard' in place ? place.shard : undefined;
        this.#parts.push({ topic, partition, shard, response });
        this.#failed ||= shard === undefined;
      }
    }
    this.#askMore();
  }

  /** Asks as many parts as the byte budget allows; what they do not use frees it for the next. */
  #askMore(): void {
    if (this.#asking) return;
    this.#asking = true;
    while (this.#next < this.#parts.length) {
      const part = this.#parts[this.#next] as Part;
      const free = this.#maxBytes - this.#haveBytes - this.#reservedBytes;
      if (free <= 0 && this.#unanswered > 0) break;
      this.#next++;
      if (part.shard === undefined) continue;
      const budget = free <= 0 ? 0 : Math.max(1, Math.min(part.partition.partitionMaxBytes, free));
      this.#reserve(budget);
      this.#unanswered++;
      this.#ask(part, budget);
    }
    this.#asking = false;
    if (!this.#call.done && this.#next === this.#parts.length && this.#unanswered === 0) this.#allAnswered();
  }

  #ask(part: Part, budget: number): void {
    let first = true;
    this.#call.ask(part.shard as ShardId, this.#onePartition(part, budget), (reply) => {
      if (this.#call.done) return;
      if (first) {
        first = false;
        this.#unanswered--;
        this.#reserve(-budget);
        this.#take(part, reply);
        this.#askMore();
      } else {
        this.#take(part, reply);
        this.#allAnswered();
      }
    });
  }

  #reserve(deltaBytes: number): void {
    this.#reservedBytes += deltaBytes;
    this.#call.hold(deltaBytes);
  }

  #onePartition({ topic, partition }: Part, budget: number): FetchRequest {
    const park = !this.#failed && !this.#timeUp && this.#haveBytes < this.#request.minBytes;
    return {
      ...this.#request,
      maxWaitMs: park ? this.#request.maxWaitMs : 0,
      topics: [{ ...topic, partitions: [{ ...partition, partitionMaxBytes: budget }] }],
      forgottenTopicsData: [],
    };
  }

  #take(part: Part, reply: ShardReply): void {
    const before = part.response.records?.length ?? 0;
    if (reply.errorCode !== undefined) part.response.errorCode = reply.errorCode;
    else Object.assign(part.response, (reply.body as FetchResponse).responses[0]?.partitions[0]);
    const { response } = part;
    const size = response.records?.length ?? 0;
    // A batch larger than what is left is kept only when it is the first: no reader gets stuck, no answer explodes.
    if (size > 0 && this.#haveBytes > 0 && this.#haveBytes + size - before > this.#maxBytes) {
      response.records = NO_RECORDS;
    } else {
      this.#haveBytes += size - before;
      this.#call.hold(size - before);
    }
    this.#failed ||= response.errorCode !== 0 || response.divergingEpoch.epoch >= 0;
  }

  #allAnswered(): void {
    const { maxWaitMs, minBytes } = this.#request;
    const enough = this.#haveBytes >= minBytes || this.#failed || this.#parts.length === 0;
    if (enough || this.#timeUp || maxWaitMs <= 0) return this.#reply();
    if (this.#waiting) return;
    this.#waiting = true;
    const { clock } = this.#call.gateway;
    this.#call.wakeAt(clock.now() + maxWaitMs, () => {
      this.#timeUp = true;
      this.#reply();
    });
  }

  #reply(): void {
    const responses: FetchResponse['responses'] = [];
    let topic: Topic | undefined;
    for (const part of this.#parts) {
      if (part.topic !== topic) {
        topic = part.topic;
        responses.push({ topic: topic.topic, topicId: topic.topicId, partitions: [] });
      }
      responses.at(-1)?.partitions.push(part.response);
    }
    this.#call.reply({ throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] });
  }
}

function emptyResponse(partitionIndex: number): PartitionResponse {
  return {
    partitionIndex,
    errorCode: 0,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  };
}
