import type { HeldBatch, ReplacedRows } from '../../log/row-replacement.ts';
import { invariant, unreachable } from '../../model/assert.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import type { RemotePlace } from '../../ports/remote-storage.ts';
import type { LogExtent, LogName, LogWrite, ReadRange, Segment } from '../../ports/log-store.ts';
import { keepable } from '../../records/keepable.ts';
import { COPY_MAX_BYTES, LogTail, type Tail } from '../../segments/tail.ts';
import type { TailPart } from '../../segments/tail-part.ts';
import { AbortedRows } from './aborted-rows.ts';
import { BatchRows } from './batch-rows.ts';
import type { Blobs } from './blobs.ts';
import { NamedValues } from './named-values.ts';
import { createLogTables, tablesOf } from './schema.ts';
import { SegmentRows } from './segment-rows.ts';
import type { SqlDatabase } from './sql.ts';
import { RemoteRows } from './tiering/remote-rows.ts';
import { type Remote, TieredRows } from './tiering/tiered-rows.ts';

/** What all logs of one store share. */
export interface StoreParts {
  database: SqlDatabase;
  blobs: Blobs;
  tail: Tail;
  /** Where segments may have gone. */
  remote: Remote | undefined;
  now: () => Millis;
  /** A segment was closed. */
  onClosed: () => void;
}

/** What a log's own code does; the store sees to the others. */
export type LogChange = Exclude<LogWrite, { type: 'create' | 'drop' }>;

/** Batches of one commit share a row up to this size; a row is billed as one whatever it holds. */
const ROW_BYTES = 1024 * 1024;

/**
 * One log, in tables of its own. Every method but `read` and those that tell is part of a commit's transaction: when
 * one throws, or the commit does, this object is of no use any more.
 */
export class SqliteLog {
  readonly number: number;
  readonly values: NamedValues;
  readonly aborted: AbortedRows;
  readonly remote: RemoteRows;
  readonly #database: SqlDatabase;
  readonly #batches: BatchRows;
  readonly #rows: TieredRows;
  readonly #onClosed: () => void;
  readonly #segments: SegmentRows;
  readonly #tail: LogTail;
  readonly #shared: Tail;
  #startOffset: Offset;
  #endOffset: Offset;
  /** How often batches went. */
  cuts = 0;
  /** Appended and in no row yet. */
  #gathered: HeldBatch[] = [];
  #gatheredBytes = 0;
  /** The same as the tail has them: they cannot leave it. */
  #unwritten: TailPart[] = [];

  /** Makes the tables of a new log. */
  static create(parts: StoreParts, number: number, { log, topic, topicId, partition }: LogName): SqliteLog {
    parts.database.sql.exec(
      'INSERT INTO logs (number, log, topic, topicId, partition, start) VALUES (?, ?, ?, ?, ?, 0)',
      number,
      log,
      topic,
      topicId,
      partition,
    );
    createLogTables(parts.database, number);
    return new SqliteLog(parts, number);
  }

  /** Reads what is known of log `number` without its batches. */
  constructor({ database, blobs, tail, onClosed, ...parts }: StoreParts, number: number) {
    this.number = number;
    this.#database = database;
    this.#batches = new BatchRows(database, blobs, number);
    this.remote = new RemoteRows(database, number);
    this.#rows = new TieredRows(this.#batches, this.remote, parts);
    this.#segments = new SegmentRows(database, this.#rows, number);
    this.#onClosed = onClosed;
    this.values = new NamedValues(database, blobs, number);
    this.aborted = new AbortedRows(database, number);
    this.#shared = tail;
    this.#tail = new LogTail(tail);
    this.#startOffset = this.#storedStart();
    this.#endOffset = Math.max(this.#startOffset, this.#segments.active.baseOffset, this.#rows.endOffset());
  }

  get extent(): LogExtent {
    return { logStartOffset: this.#startOffset, logEndOffset: this.#endOffset };
  }

  segments(): Segment[] {
    return this.#segments.list(this.#endOffset);
  }

  /** Whether all from there to the end is in memory. */
  hasInMemory(fromOffset: Offset): boolean {
    const { first } = this.#tail;
    return first !== undefined && fromOffset >= first.baseOffset;
  }

  /** Always asks the database, so that the platform can refuse an instance that was replaced. */
  read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const asked = { ...range, fromOffset: Math.max(range.fromOffset, this.#storedStart()) };
    return this.hasInMemory(asked.fromOffset) ? this.#tail.read(asked) : this.#rows.read(asked);
  }

  /** What lies below the log start, too, as long as its segment does. */
  readStored(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.#rows.read(range);
  }

  /** What of remote storage has to be read by whoever wants all from there on; undefined where that is here. */
  remoteAt(offset: Offset): RemotePlace | undefined {
    return this.hasInMemory(offset) ? undefined : this.#rows.remoteAt(offset);
  }

  batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#rows.batchAt(timestamp, Math.max(fromOffset, this.#startOffset));
  }

  apply(change: LogChange): void {
    if (change.type !== 'append') this.finishRow();
    switch (change.type) {
      case 'append':
        return this.#append(change);
      case 'roll':
        this.#segments.roll(this.#endOffset);
        return this.#onClosed();
      case 'truncate':
        return this.#truncate(change.toOffset);
      case 'trim':
        return this.#trim(change.beforeOffset);
      case 'put':
        return this.values.put(change.name, change.value);
      case 'delete':
        return this.values.delete(change.name);
      case 'aborted':
        return this.aborted.replaceFrom(change.fromOffset, change.transactions);
      default:
        return unreachable(change);
    }
  }

  /** Writes the row of what was appended last. */
  finishRow(): void {
    if (this.#gathered.length === 0) return;
    this.#batches.insert(this.#gathered);
    for (const part of this.#unwritten) part.unwritten = 0;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#unwritten = [];
    this.#shared.shrink();
  }

  drop(): void {
    const { sql } = this.#database;
    const { batches, segments, aborted } = tablesOf(this.number);
    this.#batches.forgetPieces();
    this.values.deleteAll();
    this.remote.deleteAll();
    sql.exec(`DROP TABLE ${batches}`);
    sql.exec(`DROP TABLE ${segments}`);
    sql.exec(`DROP TABLE ${aborted}`);
    sql.exec('DELETE FROM logs WHERE number = ?', this.number);
    this.forget();
  }

  /** @param commit does `work` in a transaction of its own. */
  replacedRows(commit: (work: () => void) => void): ReplacedRows {
    const { cuts } = this;
    return {
      isCurrent: () => this.cuts === cuts,
      rowStart: (offset) => this.#rows.rowStart(offset),
      replaceRows: async (range, batches) =>
        commit(() => {
          this.#rows.replace(range, batches);
          this.#segments.changed(range);
          this.#tail.dropBelow(range.toOffset);
        }),
      mergeSegments: async (range) => commit(() => this.#segments.merge(range)),
    };
  }

  /** Its batches are elsewhere. */
  dropRows(segment: Pick<Segment, 'baseOffset' | 'nextOffset'>): void {
    this.#batches.dropBetween(segment);
  }

  /** Lets go of the batches in memory. */
  forget(): void {
    this.cuts++;
    this.#tail.cutFrom(0);
    this.#gathered = [];
  }

  #append({ baseOffset, lastOffset, maxTimestamp, bytes }: HeldBatch): void {
    invariant(baseOffset >= this.#endOffset, 'appends go to the end of a log');
    if (this.#gatheredBytes + bytes.length > ROW_BYTES) this.finishRow();
    const batch = { baseOffset, lastOffset, maxTimestamp, bytes };
    this.#gathered.push(batch);
    this.#gatheredBytes += bytes.length;
    this.#segments.append(batch);
    this.#endOffset = lastOffset + 1;
    const kept = keepable(bytes, COPY_MAX_BYTES);
    const part = { baseOffset, lastOffset, bytes: kept, sizeBytes: bytes.length, unwritten: 1 };
    this.#unwritten.push(part);
    this.#tail.push(part);
  }

  #truncate(toOffset: Offset): void {
    if (!this.#rows.cutFrom(toOffset)) return;
    this.cuts++;
    this.#tail.cutFrom(toOffset);
    this.#endOffset = Math.max(this.#startOffset, this.#rows.endOffset());
    this.#segments.cut(this.#endOffset);
    this.aborted.replaceFrom(this.#endOffset, []);
  }

  #trim(beforeOffset: Offset): void {
    if (beforeOffset <= this.#startOffset) return;
    this.#startOffset = beforeOffset;
    this.#endOffset = Math.max(this.#endOffset, beforeOffset);
    this.#database.sql.exec('UPDATE logs SET start = ? WHERE number = ?', beforeOffset, this.number);
    const oldest = this.#segments.trim(beforeOffset);
    if (oldest === undefined) return;
    this.cuts++;
    this.#rows.dropBelow(oldest);
    this.#tail.dropBelow(oldest);
    this.aborted.dropBelow(oldest);
  }

  #storedStart(): Offset {
    const query = 'SELECT start FROM logs WHERE number = ?';
    const [row] = this.#database.sql.exec<{ start: Offset }>(query, this.number).toArray();
    invariant(row, 'an open log has its row');
    return row.start;
  }
}
