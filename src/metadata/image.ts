import type { BrokerId, LeaderEpoch, Uuid } from '../model/ids.ts';
import { QuotaTable } from '../quota/table.ts';
import { AclTable } from '../security/acl-table.ts';
import { entityOf } from './quota-entities.ts';
import type { MetadataRecord, RecordOf } from './records.ts';
import { ScramUsers } from './scram-users.ts';

export interface EndpointImage {
  /** Of the listener: `PLAINTEXT`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number;
}

export interface BrokerImage {
  readonly id: BrokerId;
  /** Of this registration: grows with each. */
  readonly epoch: number;
  /** Of this process: a new one is a restart. */
  readonly incarnationId: Uuid;
  readonly endpoints: readonly EndpointImage[];
  readonly features: RecordOf<'registerBroker'>['features'];
  readonly rack: string | null;
  /** A fenced broker leads nothing and is not named to clients. */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly logDirs: readonly Uuid[];
  readonly cordonedLogDirs: readonly Uuid[] | null;
}

export interface PartitionImage {
  readonly index: number;
  /** -1 when there is none. */
  readonly leader: BrokerId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: number;
  /** Preferred leader first. */
  readonly replicas: readonly BrokerId[];
  readonly isr: readonly BrokerId[];
  readonly removingReplicas: readonly BrokerId[];
  readonly addingReplicas: readonly BrokerId[];
  /** 1 while the leader was elected uncleanly and recovers. */
  readonly leaderRecoveryState: number;
  /** The log directory of each replica, in the order of `replicas`. */
  readonly directories: readonly Uuid[];
  readonly eligibleLeaderReplicas: readonly BrokerId[] | null;
  readonly lastKnownElr: readonly BrokerId[] | null;
}

export interface TopicImage {
  readonly name: string;
  readonly id: Uuid;
  /** Ascending by index; the array is the image's own and changes with it. */
  readonly partitions: readonly PartitionImage[];
}

/** Kinds of what can be configured, as in DescribeConfigs. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

const resourceKey = (type: number, name: string): string => `${type}:${name}`;
const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/**
 * What the metadata log says at an offset. Changed by `apply` alone, which is total: a record about what is
 * not there does nothing. Readers may keep the objects they get (they are replaced, not changed), not the
 * collections.
 */
export class MetadataImage {
  readonly clusterId: string;
  /** The node whose controller writes this log. */
  readonly controllerId: BrokerId;
  readonly acls = new AclTable();
  readonly scramUsers = new ScramUsers();
  readonly quotas = new QuotaTable();
  #version = 0;
  #nextProducerId = 0;
  readonly #brokers = new Map<BrokerId, BrokerImage>();
  readonly #topicsByName = new Map<string, TopicImage>();
  readonly #topicsById = new Map<Uuid, TopicImage>();
  readonly #configs = new Map<string, Map<string, string>>();
  readonly #features = new Map<string, number>();
  /** Replica lists by what is in them: many partitions have few different ones, and share the arrays. */
  readonly #lists = new Map<string, readonly (BrokerId | Uuid)[]>();
  /** Records of a metadata transaction that has not ended (KIP-868). */
  #transaction: MetadataRecord[] | undefined;

  constructor(options: { clusterId: string; controllerId: BrokerId }) {
    this.clusterId = options.clusterId;
    this.controllerId = options.controllerId;
  }

  /** Grows with every record applied: equal versions of one image mean nothing has changed. */
  get version(): number {
    return this.#version;
  }

  /** Ids below it are taken. */
  get nextProducerId(): number {
    return this.#nextProducerId;
  }

  /** Finalised feature levels; a feature at level 0 is absent. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }

  get topicCount(): number {
    return this.#topicsByName.size;
  }

  topic(name: string): TopicImage | undefined {
    return this.#topicsByName.get(name);
  }

  topicById(id: Uuid): TopicImage | undefined {
    return this.#topicsById.get(id);
  }

  partition(topicId: Uuid, index: number): PartitionImage | undefined {
    const partitions = this.#topicsById.get(topicId)?.partitions;
    const found = partitions?.[index];
    if (found?.index === index) return found;
    return partitions?.find((partition) => partition.index === index);
  }

  /** In no particular order. */
  topicNames(): Iterable<string> {
    return this.#topicsByName.keys();
  }

  /** Ascending by name. */
  topics(): TopicImage[] {
    return [...this.#topicsByName.values()].toSorted(byName);
  }

  broker(id: BrokerId): BrokerImage | undefined {
    return this.#brokers.get(id);
  }

  /** Ascending by id, fenced ones included. */
  brokers(): BrokerImage[] {
    return [...this.#brokers.values()].toSorted((a, b) => a.id - b.id);
  }

  /** What was set on a resource (`ResourceType`); the cluster-wide broker default has the name ''. */
  configs(type: number, name: string): ReadonlyMap<string, string> {
    return this.#configs.get(resourceKey(type, name)) ?? NO_CONFIGS;
  }

  apply(record: MetadataRecord): void {
    this.#version++;
    switch (record.type) {
      case 'beginTransaction':
        this.#transaction = [];
        break;
      case 'abortTransaction':
        this.#transaction = undefined;
        break;
      case 'endTransaction': {
        const records = this.#transaction ?? [];
        this.#transaction = undefined;
        for (const held of records) this.#replay(held);
        break;
      }
      default:
        if (this.#transaction) this.#transaction.push(record);
        else this.#replay(record);
    }
  }

  #replay(record: MetadataRecord): void {
    switch (record.type) {
      case 'registerBroker':
        return this.#registerBroker(record);
      case 'brokerRegistrationChange':
        return this.#changeRegistration(record);
      case 'unregisterBroker':
        this.#brokers.delete(record.brokerId);
        return;
      case 'topic':
        return this.#addTopic(record);
      case 'removeTopic':
        return this.#removeTopic(record.topicId);
      case 'partition':
        return this.#addPartition(record);
      case 'partitionChange':
        return this.#changePartition(record);
      case 'config':
        return this.#setConfig(record);
      case 'featureLevel':
        if (record.featureLevel === 0) this.#features.delete(record.name);
        else this.#features.set(record.name, record.featureLevel);
        return;
      case 'producerIds':
        this.#nextProducerId = record.nextProducerId;
        return;
      case 'accessControlEntry': {
        const { type: _type, id, ...acl } = record;
        return this.acls.add(id, acl);
      }
      case 'removeAccessControlEntry':
        return this.acls.remove(record.id);
      case 'userScramCredential': {
        const { type: _type, name, mechanism, ...credential } = record;
        return this.scramUsers.set(name, mechanism, credential);
      }
      case 'clientQuota': {
        const entity = entityOf(record.entity);
        if (record.remove) return this.quotas.remove(entity, record.key);
        return this.quotas.set(entity, record.key, record.value);
      }
      case 'removeUserScramCredential':
        return this.scramUsers.remove(record.name, record.mechanism);
      default: // noOp; a transaction's ends are handled above
    }
  }

  #registerBroker(record: RecordOf<'registerBroker'>): void {
    const { brokerId: id, brokerEpoch: epoch, endPoints: endpoints, incarnationId, features, rack } = record;
    const { fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record;
    const state = { fenced, inControlledShutdown, logDirs, cordonedLogDirs };
    this.#brokers.set(id, { id, epoch, incarnationId, endpoints, features, rack, ...state });
  }

  #changeRegistration(record: RecordOf<'brokerRegistrationChange'>): void {
    const broker = this.#brokers.get(record.brokerId);
    if (broker?.epoch !== record.brokerEpoch) return;
    this.#brokers.set(broker.id, {
      ...broker,
      fenced: record.fenced === 0 ? broker.fenced : record.fenced > 0,
      inControlledShutdown: record.inControlledShutdown > 0 || broker.inControlledShutdown,
      logDirs: record.logDirs.length > 0 ? record.logDirs : broker.logDirs,
      cordonedLogDirs: record.cordonedLogDirs ?? broker.cordonedLogDirs,
    });
  }

  #addTopic({ name, topicId: id }: RecordOf<'topic'>): void {
    const topic: TopicImage = { name, id, partitions: [] };
    this.#topicsByName.set(name, topic);
    this.#topicsById.set(id, topic);
  }

  #removeTopic(id: Uuid): void {
    const topic = this.#topicsById.get(id);
    if (!topic) return;
    this.#topicsById.delete(id);
    this.#topicsByName.delete(topic.name);
    this.#configs.delete(resourceKey(ResourceType.TOPIC, topic.name));
  }

  #addPartition(record: RecordOf<'partition'>): void {
    const { type: _type, topicId, partitionId: index, ...state } = record;
    this.#setPartition(topicId, { index, ...state });
  }

  #shared<T extends BrokerId | Uuid>(list: readonly T[]): readonly T[] {
    const key = list.join();
    const known = this.#lists.get(key) as readonly T[] | undefined;
    if (known === undefined) this.#lists.set(key, list);
    return known ?? list;
  }

  /** Keeps the order by index, whatever the order of the records. */
  #setPartition(topicId: Uuid, state: PartitionImage): void {
    const partition = {
      ...state,
      replicas: this.#shared(state.replicas),
      isr: this.#shared(state.isr),
      removingReplicas: this.#shared(state.removingReplicas),
      addingReplicas: this.#shared(state.addingReplicas),
      directories: this.#shared(state.directories),
    };
    const partitions = this.#topicsById.get(topicId)?.partitions as PartitionImage[] | undefined;
    if (!partitions) return;
    let at = partitions.length;
    while (at > 0 && (partitions[at - 1]?.index ?? -1) >= partition.index) at--;
    const replaces = partitions[at]?.index === partition.index ? 1 : 0;
    partitions.splice(at, replaces, partition);
  }

  #changePartition(record: RecordOf<'partitionChange'>): void {
    const was = this.partition(record.topicId, record.partitionId);
    if (!was) return;
    const newLeader = record.leader !== -2;
    this.#setPartition(record.topicId, {
      index: was.index,
      leader: newLeader ? record.leader : was.leader,
      leaderEpoch: newLeader ? was.leaderEpoch + 1 : was.leaderEpoch,
      partitionEpoch: was.partitionEpoch + 1,
      replicas: record.replicas ?? was.replicas,
      isr: record.isr ?? was.isr,
      removingReplicas: record.removingReplicas ?? was.removingReplicas,
      addingReplicas: record.addingReplicas ?? was.addingReplicas,
      leaderRecoveryState:
        record.leaderRecoveryState < 0 ? was.leaderRecoveryState : record.leaderRecoveryState,
      directories: record.directories ?? was.directories,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? was.eligibleLeaderReplicas,
      lastKnownElr: record.lastKnownElr ?? was.lastKnownElr,
    });
  }

  #setConfig({ resourceType, resourceName, name, value }: RecordOf<'config'>): void {
    const key = resourceKey(resourceType, resourceName);
    const configs = this.#configs.get(key) ?? new Map<string, string>();
    if (value === null) configs.delete(name);
    else configs.set(name, value);
    if (configs.size === 0) this.#configs.delete(key);
    else this.#configs.set(key, configs);
  }

  /** Every resource with settings, in the order they were first set. */
  *configuredResources(): Iterable<{ type: number; name: string; configs: ReadonlyMap<string, string> }> {
    for (const [key, configs] of this.#configs) {
      const colon = key.indexOf(':');
      yield { type: Number(key.slice(0, colon)), name: key.slice(colon + 1), configs };
    }
  }
}
