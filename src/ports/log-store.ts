import type { AbortedTransaction } from '../model/aborted.ts';
import type { RemotePlace } from './remote-storage.ts';
import type { LeaderEpoch, LogKey, Millis, Offset, Uuid } from '../model/ids.ts';

/** A log as the store knows it. Directories and people use the name, everything else the key. */
export interface LogName {
  log: LogKey;
  topic: string;
  topicId: Uuid;
  partition: number;
}

/**
 * One change. `append` is exactly one RecordBatch v2, already stamped with its base offset and leader epoch. The
 * store keeps `bytes` by reference until they are written: the caller must not change them afterwards.
 */
export type LogWrite =
  | ({ type: 'create' } & LogName)
  | {
      type: 'append';
      log: LogKey;
      baseOffset: Offset;
      lastOffset: Offset;
      maxTimestamp: Millis;
      epoch: LeaderEpoch;
      bytes: Uint8Array;
    }
  /** The next append starts a new segment. */
  | { type: 'roll'; log: LogKey }
  /** Drops every batch whose last offset is at or above `toOffset`: divergence. */
  | { type: 'truncate'; log: LogKey; toOffset: Offset }
  /** Moves the log start forward; segments wholly below it go, their files `fileDeleteDelayMs` later. */
  | { type: 'trim'; log: LogKey; beforeOffset: Offset; fileDeleteDelayMs?: Millis }
  /** The log and all it holds. */
  | { type: 'drop'; log: LogKey }
  /**
   * The aborted transactions whose marker lies at or above `fromOffset`, all of them and in the order of their markers:
   * those that were known there go. Comes after the append of the markers. What the log loses or trims goes by itself.
   */
  | { type: 'aborted'; log: LogKey; fromOffset: Offset; transactions: readonly AbortedTransaction[] }
  /** Small named values beside a log (epoch checkpoint, producer snapshot, machine snapshot): replaced whole. */
  | { type: 'put'; log: LogKey; name: string; value: Uint8Array }
  | { type: 'delete'; log: LogKey; name: string };

/** What a log holds once it is open. */
export interface LogExtent {
  logStartOffset: Offset;
  logEndOffset: Offset;
  /**
   * Of aborted transactions with a marker at or above it some may be missing, because what was stored of them is
   * damaged: they are to be found again. Left out when none is.
   */
  abortedMissingFrom?: Offset;
}

export interface Segment {
  baseOffset: Offset;
  /** Exclusive. */
  nextOffset: Offset;
  sizeBytes: number;
  /** Largest record timestamp, -1 when the segment is empty. */
  maxTimestamp: Millis;
  /** Timestamp of the first batch (its max), -1 when empty: what segment.ms counts from. */
  firstTimestamp: Millis;
}

export function sizeOfAll(segments: readonly Pick<Segment, 'sizeBytes'>[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export interface ReadRange {
  fromOffset: Offset;
  /** Batches with a last offset at or above it are not returned: the high watermark or last stable offset. */
  endOffset: Offset;
  /** Soft: one whole batch is returned even if larger. */
  maxBytes: number;
  /**
   * For a reader that believes what it gets: what comes off a device is true by its checksum on this very read. A
   * client looks at that itself.
   */
  isVerified?: boolean;
  /** Memory of the reader's that batches may lie in, where there is room: good until it is read into again. */
  into?: Uint8Array;
}

/** Whole closed segments of a log. */
export interface ReplacedRange {
  /** Where the first begins. */
  fromOffset: Offset;
  /** Where the last ends: exclusive. */
  toOffset: Offset;
  /** What was there before stays on disk for so long, out of the log. */
  fileDeleteDelayMs?: Millis;
}

/**
 * A part of a log that is being written anew, as compaction does. Offsets never change. One at a time a log; when its
 * log is dropped or fails, calls reject or do nothing.
 */
export interface Replacement {
  /**
   * From where the last call ended, at first the start of the range, up to `nextOffset` there are now `batches`: whole
   * ones, in order, which the caller must not change until it resolves; empty when all are gone. Readers see them now
   * or once it is finished. Resolves when more may come.
   */
  write(batches: Uint8Array, nextOffset: Offset): Promise<void>;
  /**
   * The range was written up to its end, and is one segment now. A crash before it resolves leaves each part as it was
   * or as it is to be.
   * @returns false when the log was cut or trimmed there meanwhile: some of it is as it was.
   */
  finish(): Promise<boolean>;
  /** What readers do not see yet stays as it was. */
  abandon(): Promise<void>;
}

/** A read found what no writer wrote. The log is to be opened again, which mends it and names what was damaged. */
export class LogDamaged extends Error {
  override name = 'LogDamaged';
}

/**
 * What a runtime must remember for a partition. `test/storage/contract.ts` is the definition; this is the summary.
 * A rejected call means the store can no longer be trusted with that log: its shard stops and reloads.
 */
export interface LogStore {
  /** About so much of a log is read when it is opened; left out, 64 MB. Where logs are opened often, less. */
  readonly replayMaxBytes?: number;
  /** All logs held, known without opening any. */
  logs(): readonly LogName[];
  /** Makes a log ready, recovering it if it was not closed cleanly. Idempotent; throws if there is no such log. */
  open(log: LogKey): Promise<LogExtent>;
  /**
   * Applies `writes` in order and resolves when they are durable (under the store's flush rule). What waits is
   * gathered: all callers of one round share one promise. After a crash each log holds a prefix of its writes, values
   * included: of whole commits in a database, of single writes in files; logs are not of one moment. Reads see the
   * writes as soon as `commit` has returned.
   */
  commit(writes: readonly LogWrite[]): Promise<void>;
  /**
   * Whole batches in offset order, starting with the one that holds `fromOffset` or the next after it, empty when
   * there is none below `endOffset`. Synchronous when the bytes are in memory. The caller must not change them, nor
   * look at them any more once a client has been sent them: their memory may be used again.
   */
  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array>;
  /**
   * Begins to write whole closed segments anew. The log must be open, what they hold durable; the log's very last batch
   * stays, without records if need be: some stores know the end by it.
   */
  replace(log: LogKey, range: ReplacedRange): Replacement;
  /** Ascending, the last one is active. The log must be open. */
  segments(log: LogKey): readonly Segment[];
  /** Bytes its batches take, whether or not it is open: nothing is recovered for it. */
  sizeBytes(log: LogKey): Promise<number>;
  /** Base offset of the first batch at or after `fromOffset` whose max timestamp is >= `timestamp`. */
  batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined>;
  /**
   * The aborted transactions with a marker at or above `fromOffset` that began below `endOffset`, in the order of their
   * markers. The log must be open.
   */
  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[];
  /**
   * What of remote storage has to be read first by whoever wants all from `offset` on; undefined where that is here. A
   * store that has none has no such method. The log must be open.
   */
  remoteAt?(log: LogKey, offset: Offset): RemotePlace | undefined;
  /** What is in remote storage alone, by offset. */
  remoteSegments?(log: LogKey): readonly RemotePlace[];
  /** A named value, undefined when absent. */
  get(log: LogKey, name: string): Promise<Uint8Array | undefined>;
  /** Names of the values beside a log. */
  names(log: LogKey): Promise<readonly string[]>;
  /** Writes what waits, marks a clean shutdown, releases the lock. */
  close(): Promise<void>;
}
