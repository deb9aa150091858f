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
import type { Shard } from './shard.ts';

const NOT_FOUND = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** KIP-320: whether the asker knows who leads; -1 means that it does not say. */
export function epochError(leaderEpoch: LeaderEpoch, currentLeaderEpoch: LeaderEpoch): number {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === leaderEpoch) return ErrorCode.NONE;
  return currentLeaderEpoch < leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

/** What clients ask about a log without reading it. */
export class Lookups {
  readonly #shard: Shard;
  readonly #log: PartitionLog;

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  /** By time or sentinel, each from the version on that knows it; nothing above the high watermark is found. */
  listOffsets({ from, apiVersion, body }: ShardRequest): void {
    const topic = (body as ListOffsetsRequest).topics[0];
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
    this.#log.offsetForTimestamp(wanted.timestamp, this.#log.highWatermark).then(
      // A log that was given up meanwhile had nothing to find.
      (found) =>
        this.#shard.log === this.#log ? answer(ErrorCode.NONE, found) : answer(ErrorCode.KAFKA_STORAGE_ERROR),
      (error) => this.#shard.readFailed(from, error),
    );
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
