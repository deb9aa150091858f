import type { Millis, Offset } from './ids.ts';

/** Who waits for a reply: a client connection and its request. Plain data, so it can cross any link. */
export interface Address {
  link: number;
  correlationId: number;
}

/** What the gateway knows of the client behind a request. */
export interface Caller {
  /** `User:ANONYMOUS` until a client has authenticated. */
  principal: string;
  clientId: string;
  /** Kafka's form: `/127.0.0.1`. */
  clientHost: string;
}

/** One shard's part of a Kafka request (ARCHITECTURE, decision 11): `body` is of the API's request schema. */
export interface MachineRequest {
  from: Address;
  caller: Caller;
  apiKey: number;
  apiVersion: number;
  body: unknown;
  /** Of a Heartbeat: until then whoever sends it would answer more of them itself, see {@link LeaseTerms}. */
  leaseUntilMs?: Millis | undefined;
  /** It was parked by an earlier run of this machine: its client hears no answer to it, so it may not move anything. */
  isResumed?: boolean | undefined;
}

/** `body` is of the API's response schema. */
export interface Reply {
  to: Address;
  body: unknown;
  /** It is not the last: the request stays. */
  parked?: boolean;
  lease?: LeaseTerms;
}

/**
 * Of a Heartbeat that is parked: its last answer comes when the group moves. Until `untilMs` its gateway answers the
 * member's heartbeats like this one; it cancels once the member has been silent for `silenceMs`, and when it has gone.
 */
export interface LeaseTerms {
  untilMs: Millis;
  silenceMs: Millis;
}

/** Whose transaction a record is part of. */
export interface TransactionalProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What a marker in a log says: all of the producer's records since the one before count, or none. */
export interface TransactionEnd {
  readonly producerId: number;
  readonly committed: boolean;
}

/** A key and value of a coordinator's log; a null value is a tombstone. */
export interface MachineRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Of a record that counts once its transaction is committed. */
  readonly producer?: TransactionalProducer;
  /** Set when it was read from a log: who reads there makes no array for it, of which a long log has many. */
  readonly span?: RecordSpan;
}

/** Where key and value lie in `bytes`; a length of -1 is null. */
export interface RecordSpan {
  readonly bytes: Uint8Array;
  readonly keyAt: number;
  readonly keyLength: number;
  readonly valueAt: number;
  readonly valueLength: number;
}

/**
 * What one shard wants of another: repeated until the answer is taken, so whoever is asked must bear hearing it twice.
 */
export interface Ask {
  /** A `ShardId`. */
  shard: string;
  apiKey: number;
  apiVersion: number;
  /** Of the API's request schema. */
  body: unknown;
}

/** `body` is of the API's response schema; undefined where the shard cannot serve, and says why by `errorCode`. */
export interface Answer {
  body: unknown;
  errorCode?: number;
}

/**
 * What a machine wants done. The shard appends `records` as one batch, applies them, and sends `replies` and `asks`
 * once they (and all the machine had seen before) are committed.
 */
export interface Decision {
  records: readonly MachineRecord[];
  replies: readonly Reply[];
  asks?: readonly Ask[];
}

export const NOTHING: Decision = { records: [], replies: [] };

/**
 * A coordinator on a log. Pure: no I/O, clock, chance or promise. `decide` and `tick` may change what is not in the
 * log (who waits, when a session ends); what is in the log changes in `apply` alone, live and on replay alike.
 */
export interface Machine {
  decide(request: MachineRequest, nowMs: Millis): Decision;
  /**
   * Total: no check, no throw on a record an older version of us wrote. `record` itself is not kept.
   * @param offset of the batch it is in; left out when it comes from a snapshot.
   */
  apply(record: MachineRecord, nowMs: Millis, offset?: Offset): void;
  /** A transaction that some of its records are part of has its marker; live and on replay alike. */
  endTransaction?(end: TransactionEnd, nowMs: Millis): void;
  /** First thing once it is loaded: what its log says is still to be asked. A shard that goes forgets its asks. */
  resume?(nowMs: Millis): Decision;
  /**
   * The answer to an ask of this machine's; `again` if it is not to be taken: the same is asked again after a while.
   * @param ask the very object that was in the decision.
   */
  answered?(ask: Ask, answer: Answer, nowMs: Millis): Decision | 'again';
  /** All that its log says below it is said again above: before a `tick` it is taken out. */
  readonly prunableBefore?: Offset;
  /** Called once `wakeAtMs` has passed. */
  tick(nowMs: Millis): Decision;
  /** When to be sent the next `tick`; Infinity when nothing is due. A deadline, not a timer. */
  readonly wakeAtMs: Millis;
  /** Whoever sent it wants no answer to that one request any more. @returns whether it was one that is parked so. */
  cancel?(from: Address, nowMs: Millis): boolean;
  /** A client's connection is gone: its parked replies are forgotten. */
  forget(link: number): void;
  /** The records that, applied to a new machine, rebuild this one. */
  snapshot(): Iterable<MachineRecord>;
}
