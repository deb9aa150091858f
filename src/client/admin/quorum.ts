import { ErrorCode } from '../../model/errors.ts';
import { CLUSTER_METADATA_TOPIC, type Uuid } from '../../model/ids.ts';
import { describeQuorumApi, type DescribeQuorumResponse } from '../../wire/apis/55-describe-quorum.ts';
import { BrokerError } from '../errors.ts';
import type { AdminOptions, Asking } from './asking.ts';

const VERSIONS = { min: 0, max: 2 };

/** Who keeps the metadata of a cluster, and how far they are. */
export interface Quorum {
  leaderId: number;
  leaderEpoch: number;
  /** All below it is committed. */
  highWatermark: number;
  voters: QuorumReplica[];
  observers: QuorumReplica[];
}

export interface QuorumReplica {
  id: number;
  /** All zero where the broker does not say. */
  directoryId: Uuid;
  logEndOffset: number;
  /** Records behind the leader. */
  lag: number;
  /** When it had all that the leader had, in milliseconds since 1970; null where the broker does not say. */
  caughtUpAt: number | null;
}

export function quorumOf(asking: Asking, { signal }: AdminOptions): Promise<Quorum> {
  const partitions = [{ partitionIndex: 0 }];
  const request = { topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions }] };
  return asking.try(
    async () => {
      const broker = await asking.controller({ signal });
      const answer = await broker.request(describeQuorumApi, VERSIONS, request, { signal });
      const found = answer.topics[0]?.partitions[0];
      const { errorCode, errorMessage } =
        found === undefined || answer.errorCode !== ErrorCode.NONE ? answer : found;
      if (found === undefined || errorCode !== ErrorCode.NONE)
        throw new BrokerError(errorCode || ErrorCode.UNKNOWN_SERVER_ERROR, 'the quorum', errorMessage);
      return read(found);
    },
    { signal },
  );
}

type Partition = DescribeQuorumResponse['topics'][number]['partitions'][number];

function read({ leaderId, leaderEpoch, highWatermark, currentVoters, observers }: Partition): Quorum {
  const endOffset =
    currentVoters.find(({ replicaId }) => replicaId === leaderId)?.logEndOffset ?? highWatermark;
  const replicaOf = (replica: Partition['currentVoters'][number]): QuorumReplica => ({
    id: replica.replicaId,
    directoryId: replica.replicaDirectoryId,
    logEndOffset: replica.logEndOffset,
    lag: Math.max(0, endOffset - replica.logEndOffset),
    caughtUpAt: replica.lastCaughtUpTimestamp < 0 ? null : replica.lastCaughtUpTimestamp,
  });
  const all = (some: readonly Partition['currentVoters'][number][]) =>
    some.map(replicaOf).sort((a, b) => a.id - b.id);
  return { leaderId, leaderEpoch, highWatermark, voters: all(currentVoters), observers: all(observers) };
}
