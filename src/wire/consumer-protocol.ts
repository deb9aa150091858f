/**
 * What members of a classic group of consumers tell each other in bytes that JoinGroup and SyncGroup carry. A broker
 * reads them where a group changes between the classic protocol and KIP-848's.
 */
import { codecOf, encodeMessage } from './codec.ts';
import { typed } from './coordinator-record.ts';
import { WireError } from './error.ts';
import { Reader } from './reader.ts';
import {
  array,
  int32,
  type Message,
  message,
  type MessageOf,
  nullableBytes,
  nullableString,
  string,
} from './schema.ts';

/** The protocol type of Kafka's consumers. */
export const CONSUMER_PROTOCOL = 'consumer';

const VERSION_BYTES = 2;
const NEWEST = 3;

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

export type SubscriptionMessage = MessageOf<typeof subscriptionMessage>;
export type AssignmentMessage = MessageOf<typeof assignmentMessage>;

export function writeSubscription(value: SubscriptionMessage): Uint8Array {
  return typed(NEWEST, encodeMessage(subscriptionMessage, NEWEST, value));
}

/** Undefined for what is none: any client may put anything there. */
export function readSubscription(bytes: Uint8Array): SubscriptionMessage | undefined {
  // Some say a version and write an older one: what all versions begin with is enough then.
  for (const version of [versionOf(bytes), 0]) {
    try {
      return read(subscriptionMessage, bytes, version);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
  return undefined;
}

export function writeAssignment(value: AssignmentMessage, version: number): Uint8Array {
  const known = Math.min(version, NEWEST);
  return typed(known, encodeMessage(assignmentMessage, known, value));
}

/** @throws WireError for what no leader of consumers hands out. */
export function readAssignment(bytes: Uint8Array): AssignmentMessage {
  return read(assignmentMessage, bytes, versionOf(bytes));
}

/** The version such bytes say they are of; the newest we know for a later one, which adds fields at the end. */
export function versionOf(bytes: Uint8Array): number {
  const version = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  return Math.min(version, NEWEST);
}

function read<M extends Message>(of: M, bytes: Uint8Array, version: number): MessageOf<M> {
  return codecOf(of, of.fields, version).read(new Reader(bytes, VERSION_BYTES)) as MessageOf<M>;
}
