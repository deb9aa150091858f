/**
 * The records of `__cluster_metadata`, as Kafka 4.3 writes them (metadata.version 30): no key; the value is
 * the frame version, the record type and the record's version as unsigned varints, then the body. All of
 * them are flexible.
 */
import { Reader } from '../wire/reader.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';
import {
  array,
  bool,
  bytes,
  float64,
  inRange,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArray,
  nullableString,
  string,
  uint16,
  uuid,
  type Fields,
  type Message,
  type MessageInitOf,
  type MessageOf,
  type Versions,
} from '../wire/schema.ts';

const FRAME_VERSION = 1;
/** Frame version, type and version: all of ours are below 128, so each is one byte. */
const HEADER_BYTES = 3;

/** Replica lists that a partition may lack, as one tagged field each. */
const optionalBrokers = <V extends Versions, T extends number>(versions: V, tag: T) =>
  nullableArray(versions, int32('0+'), { default: null, tag });

const endpoints = array('0+', {
  name: string('0+'),
  host: string('0+'),
  port: uint16('0+'),
  securityProtocol: int16('0+'),
});

const features = array('0+', {
  name: string('0+'),
  minSupportedVersion: int16('0+'),
  maxSupportedVersion: int16('0+'),
});

/** A record type: its number in the frame and the version we write; its schema may read older ones. */
interface RecordType<F extends Fields = Fields> {
  readonly key: number;
  readonly writeVersion: number;
  readonly schema: Message<F>;
}

function record<F extends Fields>(key: number, name: string, versions: Versions, fields: F): RecordType<F> {
  const schema = message({ name, versions, flexible: '0+', fields });
  return { key, writeVersion: schema.versions.max, schema };
}

/** By name, in the order of their numbers. Types that are not here are read over (`decodeMetadataRecord`). */
export const METADATA_RECORDS = {
  registerBroker: record(0, 'RegisterBrokerRecord', '0-4', {
    brokerId: int32('0+'),
    isMigratingZkBroker: bool('2+', { default: false }),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: endpoints,
    features,
    rack: nullableString('0+'),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+', { default: false }),
    logDirs: array('3+', uuid('0+'), { tag: 0 }),
    cordonedLogDirs: nullableArray('4+', uuid('0+'), { default: null, tag: 1 }),
  }),
  unregisterBroker: record(1, 'UnregisterBrokerRecord', '0', {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
  }),
  topic: record(2, 'TopicRecord', '0', { name: string('0+'), topicId: uuid('0+') }),
  /** Version 1 adds the log directories (KIP-858), 2 the eligible leader replicas (KIP-966). */
  partition: record(3, 'PartitionRecord', '0-2', {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: array('0+', int32('0+')),
    isr: array('0+', int32('0+')),
    removingReplicas: array('0+', int32('0+')),
    addingReplicas: array('0+', int32('0+')),
    leader: int32('0+', { default: -1 }),
    leaderRecoveryState: int8('0+', { default: 0, tag: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: array('1+', uuid('0+')),
    eligibleLeaderReplicas: optionalBrokers('2+', 1),
    lastKnownElr: optionalBrokers('2+', 2),
  }),
  /** `resourceType` as in DescribeConfigs; a null value removes the setting. */
  config: record(4, 'ConfigRecord', '0', {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: nullableString('0+'),
  }),
  /**
   * Null and the negative defaults mean "as it was"; a named leader begins a new leader epoch, even the
   * same one.
   */
  partitionChange: record(5, 'PartitionChangeRecord', '0-2', {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: optionalBrokers('0+', 0),
    leader: int32('0+', { default: -2, tag: 1 }),
    replicas: optionalBrokers('0+', 2),
    removingReplicas: optionalBrokers('0+', 3),
    addingReplicas: optionalBrokers('0+', 4),
    leaderRecoveryState: int8('0+', { default: -1, tag: 5 }),
    directories: nullableArray('1+', uuid('0+'), { default: null, tag: 8 }),
    eligibleLeaderReplicas: optionalBrokers('2+', 6),
    lastKnownElr: optionalBrokers('2+', 7),
  }),
  removeTopic: record(9, 'RemoveTopicRecord', '0', { topicId: uuid('0+') }),
  /** Keys of a salted password, never the password. `mechanism` as in AlterUserScramCredentials. */
  userScramCredential: record(11, 'UserScramCredentialRecord', '0', {
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  }),
  featureLevel: record(12, 'FeatureLevelRecord', '0', { name: string('0+'), featureLevel: int16('0+') }),
  /** `entity` as in AlterClientQuotas: a null name is the default. */
  clientQuota: record(14, 'ClientQuotaRecord', '0', {
    entity: array('0+', { entityType: string('0+'), entityName: nullableString('0+') }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  }),
  /** Ids below `nextProducerId` have been handed to a broker, used or not. */
  producerIds: record(15, 'ProducerIdsRecord', '0', {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  }),
  /** `fenced` and `inControlledShutdown`: 1 sets, -1 unsets, 0 leaves as it was (`fenced`: -1 is unfence). */
  brokerRegistrationChange: record(17, 'BrokerRegistrationChangeRecord', '0-3', {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { default: 0, tag: 0 }),
    inControlledShutdown: int8('1+', { default: 0, tag: 1 }),
    logDirs: array('2+', uuid('0+'), { tag: 2 }),
    cordonedLogDirs: nullableArray('3+', uuid('0+'), { default: null, tag: 3 }),
  }),
  accessControlEntry: record(18, 'AccessControlEntryRecord', '0', {
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  }),
  removeAccessControlEntry: record(19, 'RemoveAccessControlEntryRecord', '0', { id: uuid('0+') }),
  noOp: record(20, 'NoOpRecord', '0', {}),
  removeUserScramCredential: record(22, 'RemoveUserScramCredentialRecord', '0', {
    name: string('0+'),
    mechanism: int8('0+'),
  }),
  /**
   * What lies between these and `endTransaction` counts together or, with `abortTransaction`, not at all
   * (KIP-868).
   */
  beginTransaction: record(23, 'BeginTransactionRecord', '0', {
    name: nullableString('0+', { default: null, tag: 0 }),
  }),
  endTransaction: record(24, 'EndTransactionRecord', '0', {}),
  abortTransaction: record(25, 'AbortTransactionRecord', '0', {
    reason: nullableString('0+', { default: null, tag: 0 }),
  }),
};

type RecordName = keyof typeof METADATA_RECORDS;
type SchemaOf<K extends RecordName> = (typeof METADATA_RECORDS)[K]['schema'];

/** As read: every field is there. */
export type MetadataRecord = {
  [K in RecordName]: { readonly type: K } & Readonly<MessageOf<SchemaOf<K>>>;
}[RecordName];
/** As written: fields with a default may be left out. */
export type MetadataRecordInit = {
  [K in RecordName]: { readonly type: K } & MessageInitOf<SchemaOf<K>>;
}[RecordName];
/** One of them by name: `RecordOf<'partition'>`. */
export type RecordOf<K extends RecordName> = Extract<MetadataRecord, { readonly type: K }>;

const NAME_OF_KEY = new Map(
  (Object.keys(METADATA_RECORDS) as RecordName[]).map((name) => [METADATA_RECORDS[name].key, name] as const),
);

/** The value of a record of the log. */
export function encodeMetadataRecord(record: MetadataRecordInit): Uint8Array {
  const { key, writeVersion, schema }: RecordType = METADATA_RECORDS[record.type];
  const body = encodeMessage(schema, writeVersion, record);
  const value = new Uint8Array(HEADER_BYTES + body.length);
  value.set([FRAME_VERSION, key, writeVersion]);
  value.set(body, HEADER_BYTES);
  return value;
}

/**
 * Reads the value of a record; undefined when its type or version is not of ours: a newer Kafka's, or one
 * of a part that is not built.
 * @throws {WireError} for bytes that break off: the log vouches for them with a checksum, so a writer was
 * wrong.
 */
export function decodeMetadataRecord(value: Uint8Array): MetadataRecord | undefined {
  const reader = new Reader(value);
  if (reader.unsignedVarint() !== FRAME_VERSION) return undefined;
  const type = NAME_OF_KEY.get(reader.unsignedVarint());
  const version = reader.unsignedVarint();
  if (type === undefined) return undefined;
  const { schema }: RecordType = METADATA_RECORDS[type];
  if (!inRange(schema.versions, version)) return undefined;
  return { type, ...decodeMessage(schema, version, value, reader.position) } as MetadataRecord;
}

/** The number of a record's type, of ours or not; -1 in a frame we do not know. */
export function metadataRecordKey(value: Uint8Array): number {
  const reader = new Reader(value);
  return reader.unsignedVarint() === FRAME_VERSION ? reader.unsignedVarint() : -1;
}
