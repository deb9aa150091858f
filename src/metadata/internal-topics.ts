import {
  CLUSTER_METADATA_TOPIC,
  CONSUMER_OFFSETS_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
  TRANSACTION_STATE_TOPIC,
} from '../model/ids.ts';
import { brokerConfigNumber, type ConfigLayers } from './configs/effective.ts';
import { isActive } from './placement.ts';

const INTERNAL: ReadonlySet<string> = new Set([
  CONSUMER_OFFSETS_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
  CLUSTER_METADATA_TOPIC,
]);

/** Marked so in Metadata; clients may not shape, grow or delete it. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL.has(name);
}

/** How a coordinator's log is laid out. */
export interface InternalTopic {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

/**
 * The layout of a topic that coordinators keep, created on first need by a CreateTopics that leaves all to
 * us (-1); undefined for any other name. Kafka refuses while there are fewer brokers than the settings
 * want; we take as many replicas as there are, so that a single node has groups without being told.
 */
export function internalTopic(name: string, layers: ConfigLayers): InternalTopic | undefined {
  if (!isInternalTopic(name)) return undefined;
  const setting = (key: string): number => brokerConfigNumber(layers, key);
  const brokers = Math.max(1, layers.image.brokers().filter(isActive).length);
  if (name === CONSUMER_OFFSETS_TOPIC) {
    return {
      partitions: setting('offsets.topic.num.partitions'),
      replicationFactor: Math.min(setting('offsets.topic.replication.factor'), brokers),
      configs: new Map([
        ['cleanup.policy', 'compact'],
        ['compression.type', 'producer'],
        ['segment.bytes', String(setting('offsets.topic.segment.bytes'))],
      ]),
    };
  }
  if (name === TRANSACTION_STATE_TOPIC) {
    const replicationFactor = Math.min(setting('transaction.state.log.replication.factor'), brokers);
    const minInsyncReplicas = Math.min(setting('transaction.state.log.min.isr'), replicationFactor);
    return {
      partitions: setting('transaction.state.log.num.partitions'),
      replicationFactor,
      configs: new Map([
        ['cleanup.policy', 'compact'],
        ['compression.type', 'uncompressed'],
        ['min.insync.replicas', String(minInsyncReplicas)],
        ['segment.bytes', String(setting('transaction.state.log.segment.bytes'))],
        ['unclean.leader.election.enable', 'false'],
      ]),
    };
  }
  if (name === SHARE_GROUP_STATE_TOPIC) {
    const replicationFactor = Math.min(setting('share.coordinator.state.topic.replication.factor'), brokers);
    const minInsyncReplicas = Math.min(setting('share.coordinator.state.topic.min.isr'), replicationFactor);
    return {
      partitions: setting('share.coordinator.state.topic.num.partitions'),
      replicationFactor,
      // What is said again is taken out by the coordinator itself.
      configs: new Map([
        ['cleanup.policy', 'delete'],
        ['compression.type', 'producer'],
        ['min.insync.replicas', String(minInsyncReplicas)],
        ['retention.bytes', '-1'],
        ['retention.ms', '-1'],
        ['segment.bytes', String(setting('share.coordinator.state.topic.segment.bytes'))],
      ]),
    };
  }
  return undefined;
}
