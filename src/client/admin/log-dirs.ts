import { inOrder } from './group-offsets.ts';
import { ErrorCode, errorInfo } from '../../model/errors.ts';
import { describeLogDirsApi, type DescribeLogDirsResponse } from '../../wire/apis/35-describe-log-dirs.ts';
import { BrokerError } from '../errors.ts';
import { type AdminOptions, allFor, type Asking, outcomeOf } from './asking.ts';

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

/** Of all brokers, by their ids. If one does not say, the whole fails: a list with holes would mislead. */
export async function logDirsOf(asking: Asking, { signal }: AdminOptions): Promise<LogDir[]> {
  const { brokers } = await asking.try(() => asking.cluster.metadata([], signal), { signal });
  const nodeIds = brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b);
  const ask = (some: readonly number[]) =>
    asking.split(new Map(some.map((nodeId) => [nodeId, nodeId])), async (broker, [nodeId = -1]) => {
      const answer = await broker.request(describeLogDirsApi, VERSIONS, { topics: null }, { signal });
      const value = answer.results.map((found) => logDirOf(nodeId, found));
      return new Map([[nodeId, outcomeOf(answer, { where: `broker ${nodeId}`, value })]]);
    });
  return allFor(nodeIds, await asking.each(nodeIds, ask, { signal })).flat();
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
