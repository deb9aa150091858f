import type { Millis } from '../model/ids.ts';

/*
 * How a transactional id moves. Each arrow is a record; markers are written only after Prepare, Complete only after
 * all markers.
 *
 *                                                       EndTxn                    all markers
 *              InitProducerId         a partition     ┌──────> PrepareCommit ─────────────────> CompleteCommit ─┐
 *   unknown ──────────────────> Empty ──────────> Ongoing                                                       │
 *                                 ^       ^           └──────> PrepareAbort ──────────────────> CompleteAbort ──┤
 *                                 │       │              EndTxn, its time is up, a new producer                 │
 *                                 │       └──────────────── a partition ────────────────────────────────────────┤
 *                                 └──────────────────────── InitProducerId ─────────────────────────────────────┘
 *
 * With transactions v2 (KIP-890) EndTxn may abort from Empty and Complete too: whoever asks cannot know what was
 * added. Dead and PrepareEpochFence are Kafka's names for what it holds in memory alone: nobody writes them.
 */

/** By the number they have in the log. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const;

export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** topic -> partitions. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>;

/** What the log says of one transactional id. A change is a new one. */
export interface Transaction {
  readonly state: TransactionState;
  readonly producerId: number;
  /** That of the record before: tells a retry over a change of the id. -1 if there was none. */
  readonly previousProducerId: number;
  /** Takes over when the transaction is complete, since the epochs of `producerId` are used up; else -1. */
  readonly nextProducerId: number;
  readonly producerEpoch: number;
  /** The one before, if its producer is the one that has the new one now: tells its retry from a zombie. Else -1. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly partitions: TopicPartitions;
  /** -1 where there is no transaction yet. */
  readonly startedAtMs: Millis;
  readonly updatedAtMs: Millis;
  /** transaction.version the client speaks: from 2 on each end moves the epoch (KIP-890). */
  readonly clientVersion: number;
}

export const NO_PRODUCER_ID = -1;
export const NO_EPOCH = -1;
const EPOCH_MAX = 0x7fff;
const NO_PARTITIONS: TopicPartitions = new Map();
/** From here on each end of a transaction moves the producer's epoch. */
export const EPOCH_BUMP_VERSION = 2;
/** The versions of transactions that clients speak, as the log says them. */
export const V1_CLIENT = 0;
export const V2_CLIENT = 2;

/** One epoch is kept back, so that a producer can always be fenced. */
export function isExhausted(producerEpoch: number): boolean {
  return producerEpoch >= EPOCH_MAX - 1;
}

export function isPrepared({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}

/** A transactional id that nobody has used yet. */
export function created(producerId: number, at: { timeoutMs: number; nowMs: Millis }): Transaction {
  return {
    state: 'Empty',
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: 0,
    lastProducerEpoch: NO_EPOCH,
    timeoutMs: at.timeoutMs,
    partitions: NO_PARTITIONS,
    startedAtMs: -1,
    updatedAtMs: at.nowMs,
    clientVersion: V1_CLIENT,
  };
}

/** A producer begins, or goes on after an error. */
export function initialized(
  before: Transaction,
  producer: { producerId: number; producerEpoch: number; lastProducerEpoch: number },
  { timeoutMs, nowMs }: { timeoutMs: number; nowMs: Millis },
): Transaction {
  return {
    ...before,
    ...producer,
    state: 'Empty',
    previousProducerId: before.producerId,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startedAtMs: -1,
    updatedAtMs: nowMs,
  };
}

export function withPartitions(
  before: Transaction,
  added: Iterable<readonly [string, Iterable<number>]>,
  { clientVersion, nowMs }: { clientVersion: number; nowMs: Millis },
): Transaction {
  const partitions = new Map(before.partitions);
  for (const [topic, indexes] of added) {
    partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...indexes]));
  }
  return {
    ...before,
    state: 'Ongoing',
    previousProducerId: before.producerId,
    partitions,
    startedAtMs: before.state === 'Ongoing' ? before.startedAtMs : nowMs,
    updatedAtMs: nowMs,
    clientVersion,
  };
}

export function contains({ partitions }: Transaction, topic: string, partition: number): boolean {
  return partitions.get(topic)?.has(partition) ?? false;
}

export interface Ending {
  committed: boolean;
  clientVersion: number;
  /** Where the epochs of the present one are used up. */
  nextProducerId?: number;
  nowMs: Millis;
}

/** Its end is decided: what comes of it is for the markers to say. */
export function prepared(before: Transaction, ending: Ending): Transaction {
  const { committed, clientVersion, nextProducerId = NO_PRODUCER_ID, nowMs } = ending;
  const bumps = clientVersion >= EPOCH_BUMP_VERSION;
  return {
    ...before,
    state: committed ? 'PrepareCommit' : 'PrepareAbort',
    previousProducerId: before.producerId,
    nextProducerId,
    producerEpoch: bumps ? Math.min(before.producerEpoch + 1, EPOCH_MAX) : before.producerEpoch,
    lastProducerEpoch: bumps ? before.producerEpoch : before.lastProducerEpoch,
    startedAtMs: before.state === 'Ongoing' ? before.startedAtMs : nowMs,
    updatedAtMs: nowMs,
    clientVersion,
  };
}

/**
 * Aborted by us: its producer may not go on. The epoch moves twice, as in Kafka: the first one fences, the second is
 * that of the end.
 */
export function fenced(before: Transaction, nowMs: Millis): Transaction {
  const producerEpoch = Math.min(before.producerEpoch + 1, EPOCH_MAX);
  return prepared(
    { ...before, producerEpoch },
    { committed: false, clientVersion: EPOCH_BUMP_VERSION, nowMs },
  );
}

/** All markers are written. */
export function completed(before: Transaction, nowMs: Millis): Transaction {
  const { producerId, producerEpoch, nextProducerId } = before;
  const rotates = nextProducerId !== NO_PRODUCER_ID;
  return {
    ...before,
    state: before.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId: rotates ? nextProducerId : producerId,
    previousProducerId: producerId,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: rotates ? 0 : producerEpoch,
    partitions: NO_PARTITIONS,
    updatedAtMs: nowMs,
  };
}
