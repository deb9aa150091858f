import { ErrorCode } from '../model/errors.ts';
import type { Offset } from '../model/ids.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import type { DeleteRecordsRequest, DeleteRecordsResponse } from '../wire/apis/21-delete-records.ts';
import type { Shard } from './shard.ts';

/** Stands for the high watermark in a request. */
const HIGH_WATERMARK = -1;

/** Moves the log start forward (KIP-107), and answers with it once that is durable. */
export function deleteRecords(shard: Shard, { from, body }: ShardRequest): void {
  const { log } = shard;
  const topic = (body as DeleteRecordsRequest).topics[0];
  const wanted = topic?.partitions[0];
  const answer = (lowWatermark: Offset, errorCode: number) => {
    const partitions = [{ partitionIndex: wanted?.partitionIndex ?? -1, lowWatermark, errorCode }];
    const response: DeleteRecordsResponse = {
      throttleTimeMs: 0,
      topics: [{ name: topic?.name ?? '', partitions }],
    };
    shard.parts.reply({ to: from, body: response });
  };
  if (log === undefined || wanted === undefined) return answer(-1, ErrorCode.INVALID_REQUEST);
  const { cleanupPolicy } = shard.spec.config();
  if (!cleanupPolicy.includes('delete') && cleanupPolicy.includes('compact'))
    return answer(-1, ErrorCode.POLICY_VIOLATION);
  const errorCode = moveStart(shard, log, wanted.offset);
  if (errorCode !== ErrorCode.NONE) return answer(-1, errorCode);
  void shard.settled().then(() => {
    // A log that was given up meanwhile may have kept its old start.
    if (shard.log === log) answer(log.logStartOffset, ErrorCode.NONE);
    else answer(-1, ErrorCode.KAFKA_STORAGE_ERROR);
  });
}

function moveStart(shard: Shard, log: PartitionLog, asked: Offset): number {
  const offset = asked === HIGH_WATERMARK ? log.highWatermark : asked;
  if (offset < 0) return ErrorCode.OFFSET_OUT_OF_RANGE;
  const trimmed = log.trimTo(offset);
  if (!Array.isArray(trimmed)) return trimmed.errorCode;
  if (trimmed.length > 0) shard.commit(trimmed);
  return ErrorCode.NONE;
}
