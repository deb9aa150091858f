/** The words every room shares. int64 is `number` everywhere, asserted safe at the wire (ARCHITECTURE, decision 2). */

/** Position of a record in a log; the end of a range is exclusive unless the name is `lastOffset`. */
export type Offset = number;
/** Reign of one leader of a partition. */
export type LeaderEpoch = number;
/** Milliseconds since 1970 UTC. */
export type Millis = number;
export type BrokerId = number;
/** 16 bytes as Kafka prints them: 22 characters of base64url without padding. */
export type Uuid = string;

export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';
/** Kafka's reserved id of `__cluster_metadata` (Uuid.METADATA_TOPIC_ID). */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ';

export const CONSUMER_OFFSETS_TOPIC = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC = '__transaction_state';
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state';
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

/** Names one log in every store: `<topicId>/<partition>`. A topic's name may be reused, its id never. */
export type LogKey = string;

/** `<topicId>/<partition>`, see {@link LogKey}. */
export function logKey(topicId: Uuid, partition: number): LogKey {
  return `${topicId}/${partition}`;
}

/** Where records of a coordinator live: Java's `String.hashCode(id) & 0x7fffffff % partitions`, over UTF-16 units. */
export function coordinatorPartition(id: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  return (hash & 0x7fffffff) % partitions;
}
