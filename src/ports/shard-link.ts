import type { Address, MachineRequest } from '../model/machine.ts';
import type { LogKey } from '../model/ids.ts';

/** Names a shard by ids, never by topic names: `d/<topicId>/<partition>`, `g/<n>`, `m`. */
export type ShardId = string;

export const METADATA_SHARD: ShardId = 'm';

export function dataShard(log: LogKey): ShardId {
  return `d/${log}`;
}

export function groupShard(partition: number): ShardId {
  return `g/${partition}`;
}

/** One shard's part of a Kafka request. Records in `body` are views; ownership goes with the message. */
export interface ShardRequest extends MachineRequest {
  shard: ShardId;
}

/**
 * The answer to one request. `parked` comes with a Fetch that found too little: an empty answer now, and a second
 * one on the same address when there is more. A shard that cannot serve at all (its topic is gone, its storage
 * failed) says so by `errorCode`; `body` is then undefined.
 */
export interface ShardReply {
  to: Address;
  body: unknown;
  errorCode?: number;
  parked?: boolean;
}

/**
 * The gateway's end of the way to the shards. Data both ways, no promise and no callback a request, all of it can be
 * structured-cloned (ARCHITECTURE, decision 11). Replies may come before `request` returns.
 */
export interface ShardLink {
  request(request: ShardRequest): void;
  /** Nobody waits for this answer any more (its time is up, or the client is gone): what is parked is dropped. */
  cancel(shard: ShardId, from: Address): void;
}
