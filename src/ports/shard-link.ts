import type { Address, LeaseTerms, MachineRequest } from '../model/machine.ts';
import {
  CONSUMER_OFFSETS_TOPIC,
  type LogKey,
  SHARE_GROUP_STATE_TOPIC,
  TRANSACTION_STATE_TOPIC,
  type Uuid,
  coordinatorPartition,
  logKey,
} from '../model/ids.ts';
import type { LogName } from './log-store.ts';

/** Names a shard by ids, never by topic names: `d/<topicId>/<partition>`, `g/<n>`, `t/<n>`, `s/<n>`, `m`. */
export type ShardId = string;

export const METADATA_SHARD: ShardId = 'm';

export function dataShard(log: LogKey): ShardId {
  return `d/${log}`;
}

/** Whose shard that is; undefined where it is no topic's partition. */
export function partitionOfShard(shard: ShardId): { topicId: Uuid; partition: number } | undefined {
  if (!shard.startsWith('d/')) return undefined;
  const [, topicId = '', partition] = shard.split('/');
  return { topicId, partition: Number(partition) };
}

export function groupShard(partition: number): ShardId {
  return `g/${partition}`;
}

export function txnShard(partition: number): ShardId {
  return `t/${partition}`;
}

/** @param partitions of `__transaction_state`. @returns who coordinates the id; undefined before there are any. */
export function txnCoordinator(transactionalId: string, partitions = 0): ShardId | undefined {
  return partitions === 0 ? undefined : txnShard(coordinatorPartition(transactionalId, partitions));
}

export function shareShard(partition: number): ShardId {
  return `s/${partition}`;
}

/** @param partitions of `__share_group_state`. @returns who keeps a share partition's state, by its key. */
export function shareCoordinator(key: string, partitions = 0): ShardId | undefined {
  return partitions === 0 ? undefined : shareShard(coordinatorPartition(key, partitions));
}

/** The shard of a topic's partition; the logs that coordinators keep belong to theirs. */
export function partitionShard({ topic, topicId, partition }: Omit<LogName, 'log'>): ShardId {
  if (topic === CONSUMER_OFFSETS_TOPIC) return groupShard(partition);
  if (topic === TRANSACTION_STATE_TOPIC) return txnShard(partition);
  if (topic === SHARE_GROUP_STATE_TOPIC) return shareShard(partition);
  return dataShard(logKey(topicId, partition));
}

/** One shard's part of a Kafka request. Records in `body` are views; ownership goes with the message. */
export interface ShardRequest extends MachineRequest {
  shard: ShardId;
  /**
   * Of a Fetch: bytes of records that may be read for this client, at once or when it wakes. Stands for the
   * partition's own limit, which is not below it. Soft, as that is: the first batch comes whole; but 0 brings none.
   */
  credit?: number | undefined;
}

/**
 * The answer to one request. A shard that cannot serve at all (its topic is gone, its storage failed) says so by
 * `errorCode`; `body` is then undefined. A Fetch that may wait and found too little has several answers on one address:
 *
 *   parked, with a body     what there is now; the fetch stays at the shard until there is enough
 *   parked, without a body  at most once: something has come, not enough, and the body before is no longer true
 *   not parked              the last: there is enough, or an error
 *
 * Until the last one the gateway may let any number of client requests wait for it, one after the other, or none: the
 * shard is not told. When it no longer wants it, it cancels.
 */
export interface ShardReply {
  to: Address;
  body: unknown;
  errorCode?: number;
  parked?: boolean;
  /** Of a Heartbeat that is parked. */
  lease?: LeaseTerms;
}

/**
 * The gateway's end of the way to the shards. Data both ways, no promise and no callback a request, all of it can be
 * structured-cloned (ARCHITECTURE, decision 11). Replies may come before `request` returns.
 */
export interface ShardLink {
  request(request: ShardRequest): void;
  /** Nobody will want this answer any more: what is parked is dropped. */
  cancel(shard: ShardId, from: Address): void;
}
