import { LookupTime } from '../log/lookup.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { LeaderEpoch, Millis } from '../model/ids.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import type { ListOffsetsRequest, ListOffsetsResponse } from '../wire/apis/02-list-offsets.ts';
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../wire/apis/23-offset-for-leader-epoch.ts';
import type {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../wire/apis/61-describe-producers.ts';
import type { Shard } from './shard.ts';

/** The isolation level of who wants no record of a transaction that is open or aborted. */
export const READ_COMMITTED = 1;
const NOT_FOUND = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** KIP-320: whether the asker knows who leads; -1 means that it does not say. */
export function epochError(leaderEpoch: LeaderEpoch, currentLeaderEpoch: LeaderEpoch): number {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === leaderEpoch) return ErrorCode.NONE;
  return currentLeaderEpoch < leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

type ProducerDescription =
  DescribeProducersResponse['topics'][number]['partitions'][number]['activeProducers'][number];

/** What clients ask about a log without reading it. */
export class Lookups {
  readonly #shard: Shard;
  readonly #log: PartitionLog;

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  /**
   * By time or sentinel, each from the version on that knows it. Nothing above the high watermark is found, nor above
   * the last stable offset by who reads committed records.
   */
  listOffsets({ from, apiVersion, body }: ShardRequest): void {
    const { topics: asked, isolationLevel } = body as ListOffsetsRequest;
    const topic = asked[0];
    const wanted = topic?.partitions[0];
    const answer = (errorCode: number, found = NOT_FOUND) => {
      const answered = {
        partitionIndex: wanted?.partitionIndex ?? -1,
        errorCode,
        oldStyleOffsets: [],
        ...found,
      };
      const topics = [{ name: topic?.name ?? '', partitions: [answered] }];
      const response: ListOffsetsResponse = { throttleTimeMs: 0, topics };
      this.#shard.parts.reply({ to: from, body: response });
    };
    if (wanted === undefined) return answer(ErrorCode.INVALID_REQUEST);
    const refusal =
      timestampError(wanted.timestamp, apiVersion) ??
      epochError(this.#shard.leaderEpoch, wanted.currentLeaderEpoch);
    if (refusal !== ErrorCode.NONE) return answer(refusal);
    const endOffset =
      isolationLevel === READ_COMMITTED ? this.#log.lastStableOffset : this.#log.highWatermark;
    this.#log.offsetForTimestamp(wanted.timestamp, endOffset).then(
      // A log that was given up meanwhile had nothing to find.
      (found) =>
        this.#shard.log === this.#log ? answer(ErrorCode.NONE, found) : answer(ErrorCode.KAFKA_STORAGE_ERROR),
      (error) => this.#shard.readFailed(from, error),
    );
  }

  describeProducers({ from, body }: ShardRequest): void {
    const topic = (body as DescribeProducersRequest).topics[0];
    const answered = {
      partitionIndex: topic?.partitionIndexes[0] ?? -1,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      activeProducers: describeProducers(this.#log),
    };
    const topics = [{ name: topic?.name ?? '', partitions: [answered] }];
    const response: DescribeProducersResponse = { throttleTimeMs: 0, topics };
    // What it tells may yet be lost.
    this.#shard.replyAfter(this.#log.logEndOffset, { to: from, body: response });
  }

  /**
   * KIP-320: where an epoch ends, so that a reader sees whether what it read is still there. The last one ends at the
   * log end, not at the high watermark: a new leader's may still be below what was read from the one before.
   */
  offsetForLeaderEpoch({ from, body }: ShardRequest): void {
    const topic = (body as OffsetForLeaderEpochRequest).topics[0];
    const wanted = topic?.partitions[0];
    const errorCode = epochError(this.#shard.leaderEpoch, wanted?.currentLeaderEpoch ?? -1);
    const { epoch, endOffset } =
      wanted !== undefined && errorCode === ErrorCode.NONE
        ? this.#log.epochs.endOffsetFor(wanted.leaderEpoch, this.#log.logEndOffset)
        : { epoch: -1, endOffset: -1 };
    const answered = { errorCode, partition: wanted?.partition ?? -1, leaderEpoch: epoch, endOffset };
    const response: OffsetForLeaderEpochResponse = {
      throttleTimeMs: 0,
      topics: [{ topic: topic?.topic ?? '', partitions: [answered] }],
    };
    this.#shard.parts.reply({ to: from, body: response });
  }
}

/** What a log knows of its producers (KIP-664). */
function describeProducers({ producers }: PartitionLog): ProducerDescription[] {
  return producers.all().map((state) => ({
    producerId: state.producerId,
    producerEpoch: state.epoch,
    lastSequence: state.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: state.lastTimestamp,
    coordinatorEpoch: state.coordinatorEpoch,
    currentTxnStartOffset: state.txnFirstOffset,
  }));
}

/** The version of ListOffsets that brought each time with a meaning. */
const MIN_VERSIONS: Readonly<Record<number, number>> = {
  [LookupTime.latest]: 1,
  [LookupTime.earliest]: 1,
  [LookupTime.maxTimestamp]: 7,
  [LookupTime.earliestLocal]: 8,
  [LookupTime.latestTiered]: 9,
  [LookupTime.earliestPendingUpload]: 11,
};

function timestampError(timestamp: Millis, apiVersion: number): number | undefined {
  const known = timestamp >= 0 || apiVersion >= (MIN_VERSIONS[timestamp] ?? Infinity);
  return known ? undefined : ErrorCode.UNSUPPORTED_VERSION;
}
