import { ErrorCode } from '../model/errors.ts';
import type { LogStore, LogName } from '../ports/log-store.ts';
import type { ShardReply, ShardRequest } from '../ports/shard-link.ts';
import type { DescribeLogDirsResponse } from '../wire/apis/35-describe-log-dirs.ts';

/** Answers a DescribeLogDirs of one partition. Its log is not opened for it: there may be very many. */
export async function replyWithSize(
  { from }: ShardRequest,
  {
    store,
    name,
    isStored,
    reply,
  }: { store: LogStore; name: LogName; isStored: boolean; reply: (reply: ShardReply) => void },
): Promise<void> {
  try {
    const partitionSize = isStored ? await store.sizeBytes(name.log) : 0;
    const partition = { partitionIndex: name.partition, partitionSize, offsetLag: 0, isFutureKey: false };
    const topics = [{ name: name.topic, partitions: [partition] }];
    const result = { errorCode: 0, logDir: '', topics, totalBytes: -1, usableBytes: -1, isCordoned: false };
    const body: DescribeLogDirsResponse = { throttleTimeMs: 0, errorCode: 0, results: [result] };
    reply({ to: from, body });
  } catch {
    // It went meanwhile, or its store fails: whoever uses it hears why.
    reply({ to: from, body: undefined, errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
  }
}
