import { KafkaError } from '../../model/errors.ts';
import { codecOf, encodeMessage } from '../../wire/codec.ts';
import { Reader } from '../../wire/reader.ts';
import {
  array,
  int32,
  type Message,
  message,
  type MessageOf,
  nullableBytes,
  nullableString,
  string,
} from '../../wire/schema.ts';
import { byTopic, type TopicPartition } from '../topic-partition.ts';

/** The protocol type of Kafka's consumers; what they tell each other through JoinGroup and SyncGroup is below. */
export const CONSUMER_PROTOCOL = 'consumer';

const VERSION_BYTES = 2;
const NEWEST = 3;
/** Later ones are the same: old clients read this one too. */
const ASSIGNMENT_VERSION = 0;

/** v1 has what a member owns (KIP-429), v2 since which generation (KIP-792), v3 its rack (KIP-881). */
const subscriptionMessage = message({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: array('0+', string('0+')),
    userData: nullableBytes('0+', { default: null }),
    ownedPartitions: array('1+', { topic: string('1+'), partitions: array('1+', int32('1+')) }),
    generationId: int32('2+', { default: -1 }),
    rackId: nullableString('3+', { default: null }),
  },
});

const assignmentMessage = message({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array('0+', { topic: string('0+'), partitions: array('0+', int32('0+')) }),
    userData: nullableBytes('0+', { default: null }),
  },
});

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
  const value = { ...rest, topics: [...rest.topics], ownedPartitions: listsOf(owned) };
  return versioned(NEWEST, encodeMessage(subscriptionMessage, NEWEST, value));
}

/** Undefined for what is none: any client may put anything there. */
export function decodeSubscription(bytes: Uint8Array): Subscription | undefined {
  const found = decode(subscriptionMessage, bytes);
  if (found === undefined) return undefined;
  const { ownedPartitions, topics, generationId, rackId, userData } = found;
  return { topics, owned: partitionsOf(ownedPartitions), generationId, rackId, userData };
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Uint8Array {
  const value = { assignedPartitions: listsOf(partitions), userData: new Uint8Array(0) };
  return versioned(ASSIGNMENT_VERSION, encodeMessage(assignmentMessage, ASSIGNMENT_VERSION, value));
}

/** Nothing at all is no partition. @throws WireError for what no leader of consumers hands out. */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return [];
  return partitionsOf(read(assignmentMessage, bytes, versionOf(bytes)).assignedPartitions);
}

/** Some say a version and write an older one: what all versions begin with is enough then. */
function decode<M extends Message>(of: M, bytes: Uint8Array): MessageOf<M> | undefined {
  for (const version of [versionOf(bytes), 0]) {
    try {
      return read(of, bytes, version);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
    }
  }
  return undefined;
}

/** A newer version adds fields at the end, which are not read. */
function read<M extends Message>(of: M, bytes: Uint8Array, version: number): MessageOf<M> {
  return codecOf(of, of.fields, version).read(new Reader(bytes, VERSION_BYTES)) as MessageOf<M>;
}

function versionOf(bytes: Uint8Array): number {
  const version = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  return Math.min(version, NEWEST);
}

function versioned(version: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(VERSION_BYTES + body.length);
  bytes[1] = version;
  bytes.set(body, VERSION_BYTES);
  return bytes;
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
