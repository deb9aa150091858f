import { inOrder } from './group-offsets.ts';
import { ErrorCode, errorInfo } from '../../model/errors.ts';
import { describeLogDirsApi, type DescribeLogDirsResponse } from '../../wire/apis/35-describe-log-dirs.ts';
import { BrokerError } from '../errors.ts';
import { type AdminOptions, type Asking, outcomeOf } from './asking.ts';

const VERSIONS = { min: 1, max: 5 };

/** A directory in which a broker keeps logs. */
export interface LogDir {
  brokerId: number;
  path: string;
  /** What is wrong with it, such as `KAFKA_STORAGE_ERROR`; null if nothing is. */
  error: string | null;
  /** Of the device it is on; null where the broker does not say. */
  totalBytes: number | null;
  usableBytes: number | null;
  /** By topic and number. */
  partitions: LogDirPartition[];
}

export interface LogDirPartition {
  topic: string;
  partition: number;
  sizeBytes: number;
  /** How many records behind the leader, or while it moves behind the replica it comes from. */
  lag: number;
  /** It moves here from another directory. */
  isFuture: boolean;
}

/** Of all brokers, by their ids. */
export async function logDirsOf(asking: Asking, { signal }: AdminOptions): Promise<LogDir[]> {
  const found = await asking.ofBrokers(
    async (broker, where, nodeId) => {
      const answer = await broker.request(describeLogDirsApi, VERSIONS, { topics: null }, { signal });
      return outcomeOf(answer, { where, value: answer.results.map((dir) => logDirOf(nodeId, dir)) });
    },
    { signal },
  );
  return found.flat();
}

function logDirOf(brokerId: number, found: DescribeLogDirsResponse['results'][number]): LogDir {
  const { errorCode, logDir: path, topics, totalBytes, usableBytes } = found;
  // Kafka's way of saying that the asker may not see it: its code lies in no directory.
  if (errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    throw new BrokerError(errorCode, `broker ${brokerId}`);
  const partitions = topics.flatMap(({ name, partitions: some }) =>
    some.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
      topic: name,
      partition: partitionIndex,
      sizeBytes: partitionSize,
      lag: offsetLag,
      isFuture: isFutureKey,
    })),
  );
  return {
    brokerId,
    path,
    error: errorCode === ErrorCode.NONE ? null : errorInfo(errorCode).name,
    totalBytes: totalBytes < 0 ? null : totalBytes,
    usableBytes: usableBytes < 0 ? null : usableBytes,
    partitions: partitions.sort(inOrder),
  };
}
