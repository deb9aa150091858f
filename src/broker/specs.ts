import { GroupMachine } from '../group/machine.ts';
import { decodeRecord } from '../group/records.ts';
import { type GroupConfig, MIGRATION_POLICIES, type MigrationPolicy } from '../group/config.ts';
import type { ClusterView } from '../group/topics.ts';
import {
  brokerConfigNumber,
  brokerConfigValue,
  type ConfigLayers,
  following,
} from '../metadata/configs/effective.ts';
import { listItems } from '../metadata/configs/validate.ts';
import { ControllerMachine } from '../metadata/controller.ts';
import { type EndpointImage, type MetadataImage, ResourceType, type TopicImage } from '../metadata/image.ts';
import { isInternalTopic } from '../metadata/internal-topics.ts';
import {
  CLUSTER_METADATA_TOPIC,
  CONSUMER_OFFSETS_TOPIC,
  METADATA_TOPIC_ID,
  SHARE_GROUP_STATE_TOPIC,
  TRANSACTION_STATE_TOPIC,
  logKey,
} from '../model/ids.ts';
import type { LeaderEpoch } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import {
  METADATA_SHARD,
  type ShardId,
  partitionOfShard,
  partitionShard,
  shareCoordinator,
  txnCoordinator,
} from '../ports/shard-link.ts';
import { DEFAULT_LOG_CONFIG } from '../log/config.ts';
import type { Identity } from '../segments/data-directory.ts';
import type { ShardSpec } from '../shard/shard-spec.ts';
import { sharePartitionKeyOf, ShareStateMachine } from '../share/index.ts';
import { metadataReign, metadataSnapshotFrame } from '../shard/metadata-log.ts';
import { logConfigOf } from '../shard/topic-config.ts';
import { shareGroupConfigOf } from './share-config.ts';
import type { TxnConfig } from '../txn/index.ts';
import { TxnMachine } from '../txn/index.ts';

/** What one shard is; `stored` is for `Shards` to say. */
export type Spec = Omit<ShardSpec, 'stored'>;

/** Where clients find a listener. */
export interface Listening {
  host: string;
  port: number;
}

export interface SpecParts {
  /** Committed metadata. */
  image: MetadataImage;
  identity: Identity;
  staticConfigs: ReadonlyMap<string, string>;
  random: Random;
  /** Where clients find this node, as its registration says. */
  endpoints: readonly EndpointImage[];
  log?: Log | undefined;
}

/** What each shard of this node is, read off its name and the metadata. */
export class ShardSpecs {
  readonly #parts: SpecParts;
  readonly #layers: ConfigLayers;
  readonly #groupConfig: () => Partial<GroupConfig>;
  /** What every log needs to be read by share groups. */
  readonly #shareSpec: Pick<Spec, 'shareCoordinator' | 'shareGroupConfig'>;
  /** Called with the metadata log's records, in order, once committed. */
  onMetadata: (records: Iterable<MachineRecord>) => void = () => {};

  constructor(parts: SpecParts) {
    this.#parts = parts;
    const { image, identity, staticConfigs } = parts;
    this.#layers = { image, nodeId: identity.nodeId, staticConfigs };
    this.#groupConfig = groupConfigOf(this.#layers);
    this.#shareSpec = {
      shareCoordinator: (key) => this.#shareCoordinator(key),
      shareGroupConfig: shareGroupConfigOf(this.#layers),
    };
  }

  /** Undefined for a shard that metadata has not confirmed. */
  specOf(id: ShardId): Spec | undefined {
    if (id === METADATA_SHARD) return this.#metadata();
    const { image } = this.#parts;
    if (id.startsWith('g/')) {
      const topic = image.topic(CONSUMER_OFFSETS_TOPIC);
      const spec = topic && this.#partition(topic, Number(id.slice(2)));
      return (
        spec && { ...spec, machine: () => this.#groupMachine(spec.name.partition), ...this.#rebalanceLog() }
      );
    }
    if (id.startsWith('t/')) {
      const topic = image.topic(TRANSACTION_STATE_TOPIC);
      const spec = topic && this.#partition(topic, Number(id.slice(2)));
      return spec && { ...spec, machine: (epoch) => this.#txnMachine(epoch), isNeeded: true };
    }
    if (id.startsWith('s/')) {
      const topic = image.topic(SHARE_GROUP_STATE_TOPIC);
      const spec = topic && this.#partition(topic, Number(id.slice(2)));
      return spec && { ...spec, machine: () => this.#shareStateMachine() };
    }
    const of = partitionOfShard(id);
    const topic = of && image.topicById(of.topicId);
    const spec = topic && this.#partition(topic, of.partition);
    return spec && { ...spec, ...this.#shareSpec };
  }

  #partition(topic: TopicImage, partition: number): Spec | undefined {
    const { image } = this.#parts;
    if (image.partition(topic.id, partition) === undefined) return undefined;
    return {
      name: { log: logKey(topic.id, partition), topic: topic.name, topicId: topic.id, partition },
      config: logConfigOf(this.#layers, topic.name),
      leaderEpoch: () => image.partition(topic.id, partition)?.leaderEpoch ?? 0,
      transactionCoordinator: (transactionalId) => this.#transactionCoordinator(transactionalId),
    };
  }

  #shareCoordinator(key: string): ShardId | undefined {
    const topic = this.#parts.image.topic(SHARE_GROUP_STATE_TOPIC);
    return shareCoordinator(key, topic?.partitions.length);
  }

  #shareStateMachine(): ShareStateMachine {
    const name = 'share.coordinator.snapshot.update.records.per.snapshot';
    return new ShareStateMachine({
      updatesPerSnapshot: () => brokerConfigNumber(this.#layers, name),
      isPartition: (topicId, partition) => this.#parts.image.partition(topicId, partition) !== undefined,
    });
  }

  #transactionCoordinator(transactionalId: string): ShardId | undefined {
    const topic = this.#parts.image.topic(TRANSACTION_STATE_TOPIC);
    return txnCoordinator(transactionalId, topic?.partitions.length);
  }

  #metadata(): Spec {
    const { identity, staticConfigs, random, endpoints } = this.#parts;
    const { clusterId, nodeId, directoryId } = identity;
    const incarnationId = random.uuid();
    return {
      name: {
        log: logKey(METADATA_TOPIC_ID, 0),
        topic: CLUSTER_METADATA_TOPIC,
        topicId: METADATA_TOPIC_ID,
        partition: 0,
      },
      config: () => DEFAULT_LOG_CONFIG,
      isDense: true,
      leaderEpoch: (log) => log.latestEpoch + 1,
      machine: () => new ControllerMachine({ clusterId, nodeId, staticConfigs, uuid: () => random.uuid() }),
      reign: (leaderEpoch) => metadataReign({ nodeId, directoryId, leaderEpoch }),
      boot: (machine) => {
        const controller = machine as ControllerMachine;
        const why = controller.whyNotServable();
        if (why !== undefined) throw new Error(`this directory cannot be served: ${why}`);
        return controller.register({
          brokerId: nodeId,
          incarnationId,
          endpoints,
          rack: null,
          logDirs: [directoryId],
        });
      },
      onCommitted: (records) => this.onMetadata(records),
      snapshotFrame: metadataSnapshotFrame,
    };
  }

  /** Each new generation of a group, where debugging; nothing is decoded otherwise. */
  #rebalanceLog(): Pick<Spec, 'onCommitted'> {
    const debug = this.#parts.log?.debug;
    if (debug === undefined) return {};
    const onCommitted = (records: Iterable<MachineRecord>) => {
      for (const record of records) {
        const read = decodeRecord(record);
        if (read?.type === 'consumerTargetEpoch' && read.value !== null) {
          const about = { group: read.group, generation: read.value.assignmentEpoch };
          debug('group rebalanced', { component: 'group', ...about });
        }
        if (read?.type !== 'group' || read.value === null) continue;
        const { generation, protocol, members } = read.value;
        const about = { group: read.group, generation, protocol, members: members.length };
        debug('group rebalanced', { component: 'group', ...about });
      }
    };
    return { onCommitted };
  }

  #groupMachine(partition: number): GroupMachine {
    const { random, image } = this.#parts;
    return new GroupMachine({
      id: () => random.uuid(),
      config: this.#groupConfig,
      cluster: clusterView(image),
      partition,
      transactionCoordinator: (transactionalId) => this.#transactionCoordinator(transactionalId),
      shareCoordinator: (id) => this.#shareCoordinator(sharePartitionKeyOf(id)),
    });
  }

  #txnMachine(coordinatorEpoch: LeaderEpoch): TxnMachine {
    const { image } = this.#parts;
    const shardOf = (name: string, partition: number) => {
      const topic = image.topic(name);
      if (topic?.partitions[partition] === undefined) return undefined;
      return partitionShard({ topic: name, topicId: topic.id, partition });
    };
    const config = txnConfigOf(this.#layers);
    return new TxnMachine({ controller: METADATA_SHARD, coordinatorEpoch, shardOf, config });
  }
}

/** Whoever reads settings has checked it; Kafka takes it in any case. */
function migrationPolicyOf(layers: ConfigLayers): MigrationPolicy {
  const named = brokerConfigValue(layers, 'group.consumer.migration.policy')?.toLowerCase();
  return MIGRATION_POLICIES.find((policy) => policy === named) ?? 'disabled';
}

/** What coordinators may see of the metadata. */
function clusterView(image: MetadataImage): ClusterView {
  return {
    get version() {
      return image.version;
    },
    topic: (name) => image.topic(name),
    topicById: (id) => image.topicById(id),
    *topicNames() {
      for (const name of image.topicNames()) if (!isInternalTopic(name)) yield name;
    },
    groupConfigs: (groupId) => image.configs(ResourceType.GROUP, groupId),
  };
}

/** The coordinator's settings, from the broker's. */
function groupConfigOf(layers: ConfigLayers): () => Partial<GroupConfig> {
  return following(layers, () => readGroupConfig(layers));
}

function readGroupConfig(layers: ConfigLayers): Partial<GroupConfig> {
  const setting = (name: string) => brokerConfigNumber(layers, name);
  return {
    groupMinSessionTimeoutMs: setting('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: setting('group.max.session.timeout.ms'),
    groupInitialRebalanceDelayMs: setting('group.initial.rebalance.delay.ms'),
    groupMaxSize: setting('group.max.size'),
    offsetMetadataMaxBytes: setting('offset.metadata.max.bytes'),
    offsetsRetentionMinutes: setting('offsets.retention.minutes'),
    offsetsRetentionCheckIntervalMs: setting('offsets.retention.check.interval.ms'),
    consumerSessionTimeoutMs: setting('group.consumer.session.timeout.ms'),
    consumerMinSessionTimeoutMs: setting('group.consumer.min.session.timeout.ms'),
    consumerMaxSessionTimeoutMs: setting('group.consumer.max.session.timeout.ms'),
    consumerHeartbeatIntervalMs: setting('group.consumer.heartbeat.interval.ms'),
    consumerMinHeartbeatIntervalMs: setting('group.consumer.min.heartbeat.interval.ms'),
    consumerMaxHeartbeatIntervalMs: setting('group.consumer.max.heartbeat.interval.ms'),
    consumerMaxSize: setting('group.consumer.max.size'),
    consumerAssignors: listItems(brokerConfigValue(layers, 'group.consumer.assignors') ?? ''),
    consumerAssignmentIntervalMs: setting('group.consumer.assignment.interval.ms'),
    consumerMinAssignmentIntervalMs: setting('group.consumer.min.assignment.interval.ms'),
    consumerMaxAssignmentIntervalMs: setting('group.consumer.max.assignment.interval.ms'),
    consumerMigrationPolicy: migrationPolicyOf(layers),
    shareSessionTimeoutMs: setting('group.share.session.timeout.ms'),
    shareMinSessionTimeoutMs: setting('group.share.min.session.timeout.ms'),
    shareMaxSessionTimeoutMs: setting('group.share.max.session.timeout.ms'),
    shareHeartbeatIntervalMs: setting('group.share.heartbeat.interval.ms'),
    shareMinHeartbeatIntervalMs: setting('group.share.min.heartbeat.interval.ms'),
    shareMaxHeartbeatIntervalMs: setting('group.share.max.heartbeat.interval.ms'),
    shareAssignmentIntervalMs: setting('group.share.assignment.interval.ms'),
    shareMinAssignmentIntervalMs: setting('group.share.min.assignment.interval.ms'),
    shareMaxAssignmentIntervalMs: setting('group.share.max.assignment.interval.ms'),
    shareMaxSize: setting('group.share.max.size'),
  };
}

function txnConfigOf(layers: ConfigLayers): Partial<TxnConfig> {
  const setting = (name: string) => brokerConfigNumber(layers, name);
  return {
    transactionMaxTimeoutMs: setting('transaction.max.timeout.ms'),
    transactionalIdExpirationMs: setting('transactional.id.expiration.ms'),
    transactionAbortTimedOutTransactionCleanupIntervalMs: setting(
      'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    ),
    transactionRemoveExpiredTransactionCleanupIntervalMs: setting(
      'transaction.remove.expired.transaction.cleanup.interval.ms',
    ),
  };
}
