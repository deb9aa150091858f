import { KafkaError } from '../model/errors.ts';
import type { Uuid } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import { encodeMessage, readMessage } from '../wire/codec.ts';
import { keyReader, typed, valueReader } from '../wire/coordinator-record.ts';
import { array, int16, int32, int64, int8, message, type MessageOf, string, uuid } from '../wire/schema.ts';

/*
 * Records of `__share_group_state`, by type: 0 all that is known of a share partition, 1 what has changed since. Their
 * keys differ in the type alone, so a log that was compacted keeps a snapshot and its last update.
 */

const sharePartitionKey = { groupId: string('0+'), topicId: uuid('0+'), partition: int32('0+') };

export const shareSnapshotKey = message({
  name: 'ShareSnapshotKey',
  versions: '0',
  flexible: 'none',
  fields: sharePartitionKey,
});

export const shareUpdateKey = message({
  name: 'ShareUpdateKey',
  versions: '0',
  flexible: 'none',
  fields: sharePartitionKey,
});

const stateBatch = {
  firstOffset: int64('0+'),
  lastOffset: int64('0+'),
  deliveryState: int8('0+'),
  deliveryCount: int16('0+'),
};

export const shareSnapshotValue = message({
  name: 'ShareSnapshotValue',
  versions: '0',
  flexible: '0+',
  fields: {
    snapshotEpoch: int32('0+'),
    stateEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    createTimestamp: int64('0+'),
    writeTimestamp: int64('0+'),
    stateBatches: array('0+', stateBatch),
  },
});

/** `startOffset` is -1 where it has not changed. */
export const shareUpdateValue = message({
  name: 'ShareUpdateValue',
  versions: '0',
  flexible: '0+',
  fields: {
    snapshotEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    stateBatches: array('0+', stateBatch),
  },
});

/** A partition of a topic, as one share group reads it. */
export interface SharePartitionId {
  groupId: string;
  topicId: Uuid;
  partition: number;
}

export type ShareSnapshot = MessageOf<typeof shareSnapshotValue>;
export type ShareUpdate = MessageOf<typeof shareUpdateValue>;
export type StateBatch = ShareSnapshot['stateBatches'][number];

/** A record of the coordinator's log, read. A null value is a tombstone. */
export type ShareRecord =
  | { type: 'snapshot'; id: SharePartitionId; value: ShareSnapshot | null }
  | { type: 'update'; id: SharePartitionId; value: ShareUpdate | null };

const SNAPSHOT_TYPE = 0;
const UPDATE_TYPE = 1;
const VALUE_VERSION = 0;

export function shareRecord({ type, id, value }: ShareRecord): MachineRecord {
  if (type === 'snapshot') {
    const key = typed(SNAPSHOT_TYPE, encodeMessage(shareSnapshotKey, 0, id));
    return { key, value: value && typed(VALUE_VERSION, encodeMessage(shareSnapshotValue, 0, value)) };
  }
  const key = typed(UPDATE_TYPE, encodeMessage(shareUpdateKey, 0, id));
  return { key, value: value && typed(VALUE_VERSION, encodeMessage(shareUpdateValue, 0, value)) };
}

/** Undefined for what is not ours to read: versions of the future, keys of no share coordinator. */
export function decodeShareRecord(record: MachineRecord): ShareRecord | undefined {
  try {
    const key = keyReader(record);
    const type = key?.int16();
    if (key === undefined || (type !== SNAPSHOT_TYPE && type !== UPDATE_TYPE)) return undefined;
    const reader = valueReader(record);
    if (type === SNAPSHOT_TYPE) {
      const id = readMessage(shareSnapshotKey, 0, key);
      const value = reader === undefined ? null : readMessage(shareSnapshotValue, reader.int16(), reader);
      return { type: 'snapshot', id, value };
    }
    const id = readMessage(shareUpdateKey, 0, key);
    const value = reader === undefined ? null : readMessage(shareUpdateValue, reader.int16(), reader);
    return { type: 'update', id, value };
  } catch (error) {
    if (error instanceof KafkaError) return undefined;
    throw error;
  }
}

/** What a share partition's coordinator is found by: `<group>:<topic id>:<partition>`, Kafka's form. */
export function sharePartitionKeyOf({ groupId, topicId, partition }: SharePartitionId): string {
  return `${groupId}:${topicId}:${partition}`;
}
