import type { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import type { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../wire/apis/27-write-txn-markers.ts';
import type { Shard } from './shard.ts';

type Marker = WriteTxnMarkersRequest['markers'][number];

/** Writes the ends of transactions into a log, as their coordinators ask for it (KIP-98). */
export class Markers {
  readonly #shard: Shard;
  readonly #log: PartitionLog;

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  write({ from, body }: ShardRequest): void {
    const markers = (body as WriteTxnMarkersRequest).markers.map((marker) => {
      const errorCode = this.#write(marker);
      const topics = marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      }));
      return { producerId: marker.producerId, topics };
    });
    const response: WriteTxnMarkersResponse = { markers };
    // A refusal too waits for all it has seen: what it contradicts may yet be lost.
    this.#shard.replyAfter(this.#log.logEndOffset, { to: from, body: response });
  }

  #write(marker: Marker): number {
    const { producerId, producerEpoch, coordinatorEpoch, transactionVersion } = marker;
    const { leaderEpoch, parts } = this.#shard;
    const isCommit = marker.transactionResult;
    const result = this.#log.appendMarker(
      { producerId, producerEpoch, coordinatorEpoch, transactionVersion, isCommit },
      { leaderEpoch, nowMs: parts.clock.now() },
    );
    if (result?.type === 'refused') return result.errorCode;
    if (result === undefined) return ErrorCode.NONE;
    this.#shard.ended({ producerId, committed: isCommit });
    this.#shard.commit(result.writes);
    return ErrorCode.NONE;
  }
}
