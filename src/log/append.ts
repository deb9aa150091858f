import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import type { LogWrite } from '../ports/log-store.ts';

/** Who made the batch: a client's is checked in full, a coordinator's is ours. */
export type AppendOrigin = 'client' | 'coordinator';

export interface AppendOptions {
  leaderEpoch: LeaderEpoch;
  origin: AppendOrigin;
  nowMs: Millis;
  /**
   * Of the Produce request: below 7 zstd is refused, from 12 on transactions are of version 2. Left out for a
   * coordinator.
   */
  apiVersion?: number;
}

/** The end of a producer's transaction, as its coordinator has decided it. */
export interface Marker {
  producerId: number;
  producerEpoch: number;
  coordinatorEpoch: number;
  /** `transaction.version` it goes by: from 2 on the epoch is above that of the records. */
  transactionVersion: number;
  isCommit: boolean;
}

/** What a produce reply says of a batch that is in the log. */
export interface AppendedAt {
  baseOffset: Offset;
  lastOffset: Offset;
  /** -1 unless the topic stamps append time. */
  logAppendTimeMs: Millis;
  logStartOffset: Offset;
}

export interface Appended extends AppendedAt {
  type: 'appended';
  /** To be committed in this order, before any later append's. */
  writes: LogWrite[];
}

/**
 * An idempotent producer sent it again: the offsets are those of the first time, nothing is to be written.
 */
export interface Duplicate extends AppendedAt {
  type: 'duplicate';
}

export interface Refused {
  type: 'refused';
  errorCode: number;
  message: string;
  /** Kafka names them `batchIndex`: the index of the record in its batch. */
  recordErrors: readonly { batchIndex: number; message: string }[];
}

export type AppendResult = Appended | Duplicate | Refused;

export function refused(
  errorCode: number,
  message: string,
  recordErrors: Refused['recordErrors'] = [],
): Refused {
  return { type: 'refused', errorCode, message, recordErrors };
}

/** Answer to a lookup by time; all -1 when no record fits. */
export interface TimestampOffset {
  offset: Offset;
  timestamp: Millis;
  leaderEpoch: LeaderEpoch;
}
