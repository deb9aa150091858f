import type { ShardId } from '../../../ports/shard-link.ts';

const RELAY = /^r\/(?<isolation>[01])\/(?<number>\d{1,5})\/(?<partition>[\w-]{22}\/\d{1,9})$/;

/** Readers that differ in what they may see have different relays. */
export function relayName(shard: ShardId, isolationLevel: number, number: number): string {
  return `r/${isolationLevel}/${number}/${shard.slice('d/'.length)}`;
}

/** What a relay of that name passes on; undefined for what is no relay. */
export function relayed(name: string): { shard: ShardId; isolationLevel: number } | undefined {
  const found = RELAY.exec(name)?.groups;
  return found && { shard: `d/${found['partition']}`, isolationLevel: Number(found['isolation']) };
}
