import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from '../../wire/consumer-protocol.ts';
import { byTopic, type TopicPartition } from '../topic-partition.ts';

/** Later ones are the same: old clients read this one too. */
const ASSIGNMENT_VERSION = 0;

/** What a member asks for, and what it has. */
export interface Subscription {
  topics: readonly string[];
  owned: readonly TopicPartition[];
  /** In which it came to own that; -1 when it does not say. */
  generationId: number;
  rackId: string | null;
  /** The assignor's own. */
  userData: Uint8Array | null;
}

export function encodeSubscription({ owned, ...rest }: Subscription): Uint8Array {
  return writeSubscription({ ...rest, topics: [...rest.topics], ownedPartitions: listsOf(owned) });
}

/** Undefined for what is none: any client may put anything there. */
export function decodeSubscription(bytes: Uint8Array): Subscription | undefined {
  const found = readSubscription(bytes);
  if (found === undefined) return undefined;
  const { ownedPartitions, topics, generationId, rackId, userData } = found;
  return { topics, owned: partitionsOf(ownedPartitions), generationId, rackId, userData };
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Uint8Array {
  const value = { assignedPartitions: listsOf(partitions), userData: new Uint8Array(0) };
  return writeAssignment(value, ASSIGNMENT_VERSION);
}

/** Nothing at all is no partition. @throws WireError for what no leader of consumers hands out. */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  return bytes.length === 0 ? [] : partitionsOf(readAssignment(bytes).assignedPartitions);
}

export interface PartitionList {
  topic: string;
  partitions: readonly number[];
}

export function listsOf(all: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return byTopic(all).map(([topic, some]) => ({ topic, partitions: some.map(({ partition }) => partition) }));
}

export function partitionsOf(lists: readonly PartitionList[]): TopicPartition[] {
  return lists.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
