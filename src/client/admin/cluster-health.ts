import { metadataApi } from '../../wire/apis/03-metadata.ts';
import type { Cluster } from '../cluster.ts';
import { MilenaError } from '../errors.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AdminOptions } from './asking.ts';

export interface ClusterHealth {
  isHealthy: boolean;
  /** What is not well, for people; empty when all is. */
  problems: string[];
  controllerId: number;
  brokers: { id: number; host: string; port: number; isAnswering: boolean }[];
  partitionsCount: number;
  /** Without a leader: nobody can write or read them. */
  leaderless: TopicPartition[];
  /** With fewer replicas in sync than assigned. */
  underReplicated: TopicPartition[];
}

const METADATA_VERSIONS = { min: 1, max: 12 };
const ANSWER_WITHIN_MS = 5_000;
/** More of one kind are counted, not named. */
const NAMED_MAX = 5;

export async function healthOf(cluster: Cluster, { signal }: AdminOptions): Promise<ClusterHealth> {
  const { brokers: listed, controllerId, topics } = await cluster.metadata(null, signal);
  const brokers = await Promise.all(
    listed.map(async ({ nodeId, host, port }) => ({
      id: nodeId,
      host,
      port,
      isAnswering: await isAnswering(cluster, nodeId, signal),
    })),
  );
  const partitions = topics.flatMap(({ name, partitions: some }) =>
    some.map((partition) => ({ ...partition, topic: name ?? '', partition: partition.partitionIndex })),
  );
  const at = ({ topic, partition }: TopicPartition) => ({ topic, partition });
  const leaderless = partitions.filter(({ leaderId }) => leaderId < 0).map(at);
  const underReplicated = partitions
    .filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length)
    .map(at);
  const silent = brokers.filter((broker) => !broker.isAnswering);
  const problems = [
    ...(brokers.length === 0 ? ['there is no broker'] : []),
    ...(controllerId < 0 ? ['there is no controller'] : []),
    ...silent.map(({ id, host, port }) => `broker ${id} at ${host}:${port} does not answer`),
    ...said('without a leader', leaderless),
    ...said('with replicas that are not in sync', underReplicated),
  ];
  const isHealthy = problems.length === 0;
  const partitionsCount = partitions.length;
  return { isHealthy, problems, controllerId, brokers, partitionsCount, leaderless, underReplicated };
}

/** A connection that is open says nothing: it is asked for something that costs it nothing. */
async function isAnswering(
  cluster: Cluster,
  nodeId: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const broker = await cluster.broker(nodeId);
    await broker.request(
      metadataApi,
      METADATA_VERSIONS,
      { topics: [] },
      { timeoutMs: ANSWER_WITHIN_MS, signal },
    );
    return true;
  } catch (error) {
    if (error instanceof MilenaError && error.code === 'CONNECTION_LOST') return false;
    throw error;
  }
}

function said(what: string, partitions: readonly TopicPartition[]): string[] {
  const { length } = partitions;
  if (length === 0) return [];
  const named = partitions.slice(0, NAMED_MAX).map(titleOf).join(', ');
  const rest = length > NAMED_MAX ? ` and ${length - NAMED_MAX} more` : '';
  return [`${length} partition${length === 1 ? '' : 's'} ${what}: ${named}${rest}`];
}
