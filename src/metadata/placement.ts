import { at } from '../model/assert.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import { ZERO_UUID, type BrokerId, type Uuid } from '../model/ids.ts';
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts';

/** Can be given replicas, and leads them at once. */
export function isActive(broker: BrokerImage | undefined): boolean {
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

/**
 * Replicas of `count` partitions, preferred leader first, from partition `first` on. Leaders go round the
 * active brokers; the start moves on with the number of topics, so that many small topics spread too.
 * @throws {KafkaError} INVALID_REPLICATION_FACTOR when there are too few brokers.
 */
export function place(
  image: MetadataImage,
  { first, count, replicationFactor }: { first: number; count: number; replicationFactor: number },
): BrokerId[][] {
  const ids = image
    .brokers()
    .filter(isActive)
    .map((broker) => broker.id);
  if (replicationFactor > ids.length) {
    throw new KafkaError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ` +
        `${replicationFactor} cannot be reached because only ${ids.length} broker(s) are registered.`,
    );
  }
  const start = image.topicCount + first;
  return Array.from({ length: count }, (_, partition) =>
    Array.from({ length: replicationFactor }, (_, replica) =>
      at(ids, (start + partition + replica) % ids.length),
    ),
  );
}

/**
 * Checks replicas that a client chose.
 * @param replicationFactor of the partitions before this one, undefined for the first.
 * @throws {KafkaError} INVALID_REPLICA_ASSIGNMENT
 */
export function checkAssignment(
  image: MetadataImage,
  replicas: readonly BrokerId[],
  { partition, replicationFactor }: { partition: number; replicationFactor: number | undefined },
): void {
  const refuse = (what: string): never => {
    throw new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, what);
  };
  if (replicas.length === 0) refuse('The manual partition assignment includes an empty replica list.');
  const seen = new Set<BrokerId>();
  for (const id of replicas) {
    if (!image.broker(id)) {
      refuse(`The manual partition assignment includes broker ${id}, but no such broker is registered.`);
    }
    if (seen.has(id)) refuse(`The manual partition assignment includes the broker ${id} more than once.`);
    seen.add(id);
  }
  if (replicationFactor !== undefined && replicas.length !== replicationFactor) {
    refuse(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is ` +
        `not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
    );
  }
  if (!replicas.some((id) => isActive(image.broker(id)))) {
    refuse(
      `All brokers specified in the manual partition assignment for partition ${partition} are fenced or ` +
        'in controlled shutdown.',
    );
  }
}

/** A partition on its first day: the first active replica leads, all active ones are in sync. */
export function newPartition(
  image: MetadataImage,
  index: number,
  replicas: readonly BrokerId[],
): PartitionImage {
  const isr = replicas.filter((id) => isActive(image.broker(id)));
  return {
    index,
    leader: at(isr, 0),
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leaderRecoveryState: 0,
    directories: replicas.map((id) => directoryOf(image.broker(id))),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  };
}

/**
 * Where a broker will put a replica: known only when it has one directory (all zeros: unassigned, KIP-858).
 */
function directoryOf(broker: BrokerImage | undefined): Uuid {
  const [only, ...others] = broker?.logDirs ?? [];
  return only !== undefined && others.length === 0 ? only : ZERO_UUID;
}
