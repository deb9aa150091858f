import type { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Address } from '../model/machine.ts';
import type { ShardReply, ShardRequest } from '../ports/shard-link.ts';
import type { FetchRequest, FetchResponse } from '../wire/apis/01-fetch.ts';
import type { ListOffsetsRequest, ListOffsetsResponse } from '../wire/apis/02-list-offsets.ts';
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../wire/apis/23-offset-for-leader-epoch.ts';
import type { Shard } from './shard.ts';

type FetchPartition = FetchRequest['topics'][number]['partitions'][number];
type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

/** A fetch that found less than it wants: state, never a promise. */
interface Parked {
  request: ShardRequest;
  /** Read again once the shard has committed this many bytes (counted since its log was loaded). */
  wakeAtBytes: number;
}

const NO_RECORDS = new Uint8Array(0);

/** Everything clients ask of a log without changing it. They see what is below the high watermark. */
export class Reads {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  #parked: Parked[] = [];

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  /** Answers at once when there is enough, an error, or no time to wait; else with what there is, and parks. */
  fetch(request: ShardRequest): void {
    const body = request.body as FetchRequest;
    const wanted = body.topics[0]?.partitions[0];
    if (wanted === undefined) return this.#reply(request, this.#fetched(-1, ErrorCode.INVALID_REQUEST));
    const refusal = this.#refuse(wanted);
    if (refusal !== undefined) return this.#reply(request, refusal);
    const seenBytes = this.#shard.committedBytes;
    const records = this.#read(wanted, this.#log.highWatermark);
    if (records instanceof Promise) {
      records.then(
        (bytes) => this.#answer(request, { bytes, seenBytes }),
        (error) => this.#failed(request, error),
      );
    } else {
      this.#answer(request, { bytes: records, seenBytes });
    }
  }

  #answer(request: ShardRequest, { bytes, seenBytes }: { bytes: Uint8Array; seenBytes: number }): void {
    if (this.#shard.log !== this.#log) return;
    const { maxWaitMs, minBytes, topics } = request.body as FetchRequest;
    const response = this.#fetched(topics[0]?.partitions[0]?.partition ?? -1, ErrorCode.NONE, bytes);
    const parks = maxWaitMs > 0 && bytes.length < minBytes;
    if (!parks) return this.#reply(request, response);
    const wakeAtBytes = seenBytes + minBytes - bytes.length;
    if (this.#shard.committedBytes >= wakeAtBytes) return this.fetch(request);
    this.#parked.push({ request, wakeAtBytes });
    this.#reply(request, response, true);
  }

  /** The high watermark has moved: those for whom enough has come are answered, now for good. */
  advanced(): void {
    if (this.#parked.length === 0) return;
    const parked = this.#parked;
    this.#parked = [];
    for (const waiting of parked) {
      const { request, wakeAtBytes } = waiting;
      if (this.#shard.committedBytes < wakeAtBytes) this.#parked.push(waiting);
      else this.fetch({ ...request, body: { ...(request.body as FetchRequest), maxWaitMs: 0 } });
    }
  }

  /** @returns whether that fetch was parked here. */
  cancel(from: Address): boolean {
    const before = this.#parked.length;
    this.#parked = this.#parked.filter(({ request }) => request.from.correlationId !== from.correlationId);
    return this.#parked.length < before;
  }

  drain(): Address[] {
    const parked = this.#parked.map(({ request }) => request.from);
    this.#parked = [];
    return parked;
  }

  #refuse(wanted: FetchPartition): FetchedPartition | undefined {
    const epochError = this.#checkEpoch(wanted.currentLeaderEpoch);
    if (epochError !== ErrorCode.NONE) return this.#fetched(wanted.partition, epochError);
    if (wanted.lastFetchedEpoch >= 0) {
      const { epoch, endOffset } = this.#log.epochs.endOffsetFor(
        wanted.lastFetchedEpoch,
        this.#log.logEndOffset,
      );
      // An epoch we never heard of: nothing tells how far the asker's log is ours.
      if (epoch < 0) return this.#fetched(wanted.partition, ErrorCode.OFFSET_OUT_OF_RANGE);
      if (epoch < wanted.lastFetchedEpoch || endOffset < wanted.fetchOffset) {
        const diverging = this.#fetched(wanted.partition, ErrorCode.NONE);
        return { ...diverging, divergingEpoch: { epoch, endOffset } };
      }
    }
    const { logStartOffset, highWatermark } = this.#log;
    if (wanted.fetchOffset < logStartOffset || wanted.fetchOffset > highWatermark) {
      return this.#fetched(wanted.partition, ErrorCode.OFFSET_OUT_OF_RANGE);
    }
    return undefined;
  }

  /** KIP-320: -1 means the asker does not know. */
  #checkEpoch(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch < 0 || currentLeaderEpoch === this.#shard.leaderEpoch) return ErrorCode.NONE;
    return currentLeaderEpoch < this.#shard.leaderEpoch
      ? ErrorCode.FENCED_LEADER_EPOCH
      : ErrorCode.UNKNOWN_LEADER_EPOCH;
  }

  #read(
    { fetchOffset, partitionMaxBytes }: FetchPartition,
    endOffset: number,
  ): Uint8Array | Promise<Uint8Array> {
    if (partitionMaxBytes <= 0 || fetchOffset >= endOffset) return NO_RECORDS;
    return this.#log.read({ fromOffset: fetchOffset, endOffset, maxBytes: partitionMaxBytes }) ?? NO_RECORDS;
  }

  #fetched(partitionIndex: number, errorCode: number, records: Uint8Array = NO_RECORDS): FetchedPartition {
    const known = errorCode === ErrorCode.NONE || errorCode === ErrorCode.OFFSET_OUT_OF_RANGE;
    const highWatermark = known ? this.#log.highWatermark : -1;
    return {
      partitionIndex,
      errorCode,
      highWatermark,
      lastStableOffset: highWatermark,
      logStartOffset: known ? this.#log.logStartOffset : -1,
      divergingEpoch: { epoch: -1, endOffset: -1 },
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
      snapshotId: { endOffset: -1, epoch: -1 },
      abortedTransactions: null,
      preferredReadReplica: -1,
      records,
    };
  }

  #reply(request: ShardRequest, partition: FetchedPartition, parked = false): void {
    const topic = (request.body as FetchRequest).topics[0];
    const body: FetchResponse = {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      sessionId: 0,
      responses: [{ topic: topic?.topic ?? '', topicId: topic?.topicId ?? '', partitions: [partition] }],
      nodeEndpoints: [],
    };
    this.#shard.parts.reply(parked ? { to: request.from, body, parked } : { to: request.from, body });
  }

  #failed(request: ShardRequest, error: unknown): void {
    const reply: ShardReply = { to: request.from, body: undefined, errorCode: ErrorCode.KAFKA_STORAGE_ERROR };
    this.#shard.parts.reply(reply);
    this.#shard.failed(this.#log, error);
  }

  /** By time or sentinel; all below the high watermark. */
  listOffsets(request: ShardRequest): void {
    const body = request.body as ListOffsetsRequest;
    const wanted = body.topics[0]?.partitions[0];
    const answer = (errorCode: number, found = { offset: -1, timestamp: -1, leaderEpoch: -1 }) => {
      const partition = {
        partitionIndex: wanted?.partitionIndex ?? -1,
        errorCode,
        oldStyleOffsets: [],
        ...found,
      };
      const topics = [{ name: body.topics[0]?.name ?? '', partitions: [partition] }];
      this.#shard.parts.reply({
        to: request.from,
        body: { throttleTimeMs: 0, topics } satisfies ListOffsetsResponse,
      });
    };
    if (wanted === undefined) return answer(ErrorCode.INVALID_REQUEST);
    const epochError = this.#checkEpoch(wanted.currentLeaderEpoch);
    if (epochError !== ErrorCode.NONE) return answer(epochError);
    this.#log.offsetForTimestamp(wanted.timestamp, this.#log.highWatermark).then(
      (found) => answer(ErrorCode.NONE, found),
      (error) => this.#failed(request, error),
    );
  }

  /** KIP-320: where an epoch ends, so that a client can see whether what it read is still there. */
  offsetForLeaderEpoch(request: ShardRequest): void {
    const body = request.body as OffsetForLeaderEpochRequest;
    const topic = body.topics[0];
    const wanted = topic?.partitions[0];
    const epochError = this.#checkEpoch(wanted?.currentLeaderEpoch ?? -1);
    const { epoch, endOffset } =
      wanted !== undefined && epochError === ErrorCode.NONE
        ? this.#log.epochs.endOffsetFor(wanted.leaderEpoch, this.#log.highWatermark)
        : { epoch: -1, endOffset: -1 };
    const partition = {
      errorCode: epochError,
      partition: wanted?.partition ?? -1,
      leaderEpoch: epoch,
      endOffset,
    };
    const response: OffsetForLeaderEpochResponse = {
      throttleTimeMs: 0,
      topics: [{ topic: topic?.topic ?? '', partitions: [partition] }],
    };
    this.#shard.parts.reply({ to: request.from, body: response });
  }
}
