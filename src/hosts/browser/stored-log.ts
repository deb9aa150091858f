import type { AbortedTransaction } from '../../model/aborted.ts';
import { at, unreachable } from '../../model/assert.ts';
import type { ReplacedRows } from '../../log/row-replacement.ts';
import { concat } from '../../model/bytes.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import type { LogExtent, LogName, LogWrite, ReadRange, Segment } from '../../ports/log-store.ts';
import { forEachBatch } from '../../records/header.ts';
import { keepable } from '../../records/keepable.ts';
import { chooseBatches } from '../../segments/choose-batches.ts';
import { COPY_MAX_BYTES, LogTail, type Tail } from '../../segments/tail.ts';
import { type DatabaseWrite, rowsOf, valuesOf } from './database.ts';
import { type LoadParts, loadLog } from './load.ts';
import { LogState } from './log-state.ts';
import { changedRows } from './changed-rows.ts';
import type { Round, RoundMember, Rounds } from './rounds.ts';
import { RowIndex } from './row-index.ts';
import { type Batch, describeRow, type Row, startRow } from './row.ts';
import { NamedValues } from './values.ts';

/** What all logs of one store share. */
export interface StoreParts extends LoadParts {
  rounds: Rounds;
  tail: Tail;
}

/** What a log's own code does; the store sees to the others. */
export type LogChange = Exclude<LogWrite, { type: 'create' | 'drop' }>;

/**
 * The cliff of Chromium's LevelDB is at 64 KiB: larger values become files, four times slower. A batch that is larger
 * by itself stays one row all the same: it is rare, and a row that needed another would not stand alone.
 */
const ROW_MAX_BYTES = 60 * 1024;

const EMPTY = new Uint8Array(0);

/** A row of a round that has not begun: it takes more batches. */
interface OpenRow {
  row: Row;
  chunks: Uint8Array[];
  round: Round;
}

/** A truncation that has to read the row it cuts: until that is done later changes and reads wait. */
interface Truncating {
  applied: Promise<void>;
  later: [LogChange, Round][];
}

/** One log. A change is made in memory at once, and is written by the round it is given. */
export class StoredLog implements RoundMember {
  readonly name: LogName;
  readonly values: NamedValues;
  readonly #parts: StoreParts;
  #state: LogState | undefined;
  #index: RowIndex | undefined;
  #loading: Promise<void> | undefined;
  #openRow: OpenRow | undefined;
  #truncating: Truncating | undefined;
  /** The round that takes rows away; until it is done the index stays as it is. */
  #cutIn: Round | undefined;
  #failure: Error | undefined;
  /** A row was not what the index says. */
  #indexLies = false;

  constructor(name: LogName, parts: StoreParts) {
    this.name = name;
    this.#parts = parts;
    this.values = new NamedValues(name.log, parts.database);
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Makes a new log, empty. */
  create(round: Round): void {
    const record = { ...this.name, logStartOffset: 0, segmentBases: [0] };
    const state = new LogState(record, [], new LogTail(this.#parts.tail));
    this.#state = state;
    this.#index = new RowIndex(state, this.#parts.pageSize, { pages: [], endOffset: 0, isStale: false });
    this.#putRecord(state, round);
  }

  /** Reads what is stored, unless it is known. */
  async load(options: { trustIndex: boolean }): Promise<LogExtent> {
    if (!this.#state) await (this.#loading ??= this.#load(options));
    await this.#truncating?.applied;
    return this.#opened().extent;
  }

  /** A log in its place, to be loaded, that knows why this one failed. */
  successor(): { log: StoredLog; trustIndex: boolean } {
    return { log: new StoredLog(this.name, this.#parts), trustIndex: !this.#indexLies };
  }

  submit(change: LogChange, round: Round): void {
    if (this.#failure) throw this.#failure;
    if (this.#truncating) this.#truncating.later.push([change, round]);
    else this.#apply(change, round);
  }

  drop(round: Round): void {
    const { log } = this.name;
    round.writes.push(
      { type: 'delete', store: 'logs', key: log },
      { type: 'delete', store: 'batches', key: rowsOf(log, 0) },
      { type: 'delete', store: 'index', key: rowsOf(log, 0) },
      { type: 'delete', store: 'values', key: valuesOf(log) },
    );
    this.#forget();
  }

  lastWrites(): readonly DatabaseWrite[] {
    if (this.#cutIn && !this.#cutIn.isDone) return [];
    return this.#state && this.#index ? this.#index.advance() : [];
  }

  /** What is in memory may no longer be what is stored: of no use until loaded anew, as another object. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#forget();
  }

  read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const state = this.#opened();
    if (this.#truncating) return this.#truncating.applied.then(() => this.read(range));
    const asked = { ...range, fromOffset: Math.max(range.fromOffset, state.logStartOffset) };
    const next = state.rows[state.floor(asked.fromOffset)];
    if (!next) return EMPTY;
    const { first } = state.tail;
    const isInTail = first && Math.max(asked.fromOffset, next.baseOffset) >= first.baseOffset;
    return isInTail ? state.tail.read(asked) : this.#readRows(state, asked);
  }

  async batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    await this.#truncating?.applied;
    let from = Math.max(fromOffset, this.#opened().logStartOffset);
    for (;;) {
      const row = this.#opened().rowReaching(timestamp, from);
      if (!row) return undefined;
      const range = { endOffset: row.lastOffset + 1, maxBytes: row.sizeBytes };
      const bytes = await this.read({ ...range, fromOffset: Math.max(from, row.baseOffset) });
      let found: Offset | undefined;
      forEachBatch(bytes, ({ baseOffset, maxTimestamp }) => {
        if (maxTimestamp >= timestamp) found ??= baseOffset;
      });
      if (found !== undefined) return found;
      from = row.lastOffset + 1;
    }
  }

  /** @param nextRound the round that takes what is written now. */
  replacedRows(nextRound: () => Round): ReplacedRows {
    const state = this.#opened();
    const { cuts } = state;
    const isCurrent = () => state === this.#state && state.cuts === cuts;
    return {
      isCurrent,
      rowStart: (offset) => Math.min(state.rows[state.floor(offset)]?.baseOffset ?? offset, offset),
      replaceRows: async (range, batches) => {
        const changed = await changedRows(state, {
          range,
          batches,
          fetch: (row) => this.#fetch(state, [row]),
        });
        if (!isCurrent() || changed.length === 0) return;
        const round = nextRound();
        for (const [row, kept] of changed) this.#replaceRow(row, kept, round);
        await round.done;
      },
      mergeSegments: async ({ fromOffset, toOffset }) => {
        state.segmentBases = state.segmentBases.filter((base) => base <= fromOffset || base >= toOffset);
        const round = nextRound();
        this.#putRecord(state, round);
        await round.done;
      },
    };
  }

  #replaceRow(row: Row, bytes: Uint8Array, round: Round): void {
    const state = this.#opened();
    const kept = describeRow(bytes);
    round.writes.push(...(this.#index?.cut(row.baseOffset) ?? []));
    state.replace(row, kept);
    this.#takeAway(row.baseOffset, row.lastOffset + 1, round);
    if (kept) this.#addRow(kept, [bytes], round);
    this.#openRow = undefined;
    round.bytes += bytes.length;
  }

  segments(): readonly Segment[] {
    return this.#opened().segments();
  }

  aborted({ fromOffset, endOffset }: Omit<ReadRange, 'maxBytes'>): readonly AbortedTransaction[] {
    return this.#opened().aborted.overlapping(fromOffset, endOffset);
  }

  #apply(change: LogChange, round: Round): void {
    switch (change.type) {
      case 'append':
        return this.#append(change, round);
      case 'roll':
        return this.#roll(round);
      case 'truncate':
        return this.#truncate(change.toOffset, round);
      case 'trim':
        return this.#trim(change.beforeOffset, round);
      case 'put':
        return this.values.set(change.name, change.value, round);
      case 'delete':
        return this.values.set(change.name, undefined, round);
      case 'aborted':
        return this.#opened().aborted.replaceFrom(change.fromOffset, change.transactions, round);
      default:
        return unreachable(change);
    }
  }

  #append(batch: Batch, round: Round): void {
    const state = this.#opened();
    const { baseOffset, lastOffset } = batch;
    const bytes = keepable(batch.bytes, COPY_MAX_BYTES);
    const part = { baseOffset, lastOffset, bytes, sizeBytes: bytes.length, unwritten: 1 };
    const open = this.#openRow;
    const fits = open?.round === round && open.row.sizeBytes + bytes.length <= ROW_MAX_BYTES;
    if (open && fits) {
      state.extend(open.row, batch);
      open.chunks.push(bytes);
    } else {
      const row = startRow(batch);
      state.push(row);
      this.#addRow(row, [bytes], round);
    }
    round.bytes += bytes.length;
    state.tail.push(part);
    // Only what is written may go.
    round.whenDone.push(() => {
      part.unwritten = 0;
      this.#parts.tail.shrink();
    });
  }

  /** Has `round` add a row, which takes more chunks until the round begins. */
  #addRow(row: Row, chunks: Uint8Array[], round: Round): void {
    this.#openRow = { row, chunks, round };
    const key = [this.name.log, row.baseOffset];
    // Its own bytes, or the row would bring along all of the buffers they are views of.
    round.writes.push({ type: 'add', store: 'batches', key, value: () => concat(chunks) });
    round.whenDone.push(() => (row.isWritten = true));
  }

  #roll(round: Round): void {
    const state = this.#opened();
    this.#openRow = undefined;
    if (state.roll()) this.#putRecord(state, round);
  }

  #trim(beforeOffset: Offset, round: Round): void {
    const state = this.#opened();
    if (beforeOffset <= state.logStartOffset) return;
    const lostRows = state.trim(beforeOffset);
    this.#putRecord(state, round);
    if (!lostRows) return;
    const oldest = at(state.segmentBases, 0);
    this.#takeAway(0, oldest, round);
    round.writes.push(...(this.#index?.trim(oldest) ?? []));
    state.aborted.dropBelow(oldest, round);
  }

  #truncate(toOffset: Offset, round: Round): void {
    const state = this.#opened();
    const number = state.floor(toOffset);
    const row = state.rows[number];
    if (!row) return;
    const { first } = state.tail;
    if (row.baseOffset >= toOffset) {
      this.#cut(number, EMPTY, toOffset, round);
    } else if (first && first.baseOffset <= row.baseOffset) {
      const range = { fromOffset: row.baseOffset, endOffset: toOffset, maxBytes: Infinity };
      this.#cut(number, state.tail.read(range), toOffset, round);
    } else {
      this.#truncating = this.#cutLater(row, toOffset, round);
    }
  }

  /** Row `number` and those after it go; of that one the batches below `toOffset`, with which `bytes` begin, stay. */
  #cut(number: number, bytes: Uint8Array, toOffset: Offset, round: Round): void {
    const state = this.#opened();
    const { baseOffset } = at(state.rows, number);
    const kept = describeRow(bytes, toOffset);
    const before = state.segmentBases.length;
    state.cut(number, kept);
    this.#takeAway(baseOffset, Infinity, round);
    round.writes.push(...(this.#index?.cut(baseOffset) ?? []));
    if (kept) this.#addRow(kept, [bytes.subarray(0, kept.sizeBytes)], round);
    this.#openRow = undefined;
    state.aborted.replaceFrom(state.logEndOffset, [], round);
    if (state.segmentBases.length !== before) this.#putRecord(state, round);
  }

  /** The round waits for it: reading is a transaction of its own. */
  #cutLater(row: Row, toOffset: Offset, round: Round): Truncating {
    const state = this.#opened();
    const later: Truncating['later'] = [];
    const apply = (bytes: Uint8Array) => {
      this.#truncating = undefined;
      if (state !== this.#state) return;
      this.#cut(state.rows.indexOf(row), bytes, toOffset, round);
      for (const [change, of] of later) this.submit(change, of);
    };
    const applied = this.#fetch(state, [row]).then(apply);
    applied.catch((error: Error) => this.fail(error));
    round.waitsFor.push(applied);
    return { applied, later };
  }

  #takeAway(from: Offset, to: Offset, round: Round): void {
    this.#openRow = undefined;
    this.#cutIn = round;
    round.writes.push({ type: 'delete', store: 'batches', key: rowsOf(this.name.log, from, to) });
  }

  #putRecord({ key, record }: LogState, round: Round): void {
    round.writes.push({ type: 'put', store: 'logs', key, value: () => record });
  }

  async #readRows(state: LogState, range: ReadRange): Promise<Uint8Array> {
    const { generation } = state;
    const rows = state.rowsFor(range);
    let bytes: Uint8Array = EMPTY;
    try {
      bytes = await this.#fetch(state, rows);
    } catch (error) {
      if (generation === state.generation) throw error;
    }
    if (this.#failure) throw this.#failure;
    if (state.isGone) return EMPTY;
    if (generation !== state.generation) return this.read(range);
    const chosen = chooseBatches(bytes, bytes.length, range);
    if (chosen?.type === 'end') return EMPTY;
    if (chosen?.type === 'batches') return bytes.subarray(chosen.start, chosen.end);
    throw this.#lied(rows);
  }

  /** The bytes of rows that are written, one behind the other. */
  async #fetch(state: LogState, rows: readonly Row[]): Promise<Uint8Array> {
    const { generation } = state;
    const sizes = rows.map(({ sizeBytes }) => sizeBytes);
    const found = await this.#parts.database.rows(this.name.log, rows);
    const contents = found.map((bytes, number) => {
      const sizeBytes = at(sizes, number);
      const isWhole = bytes && bytes.length >= sizeBytes;
      if (isWhole) return bytes.subarray(0, sizeBytes);
      throw generation === state.generation ? this.#lied(rows) : new Error('the rows are gone');
    });
    return contents.length === 1 ? at(contents, 0) : concat(contents);
  }

  /** What is known of the rows is not what they are: the log must be read anew. */
  #lied(rows: readonly Row[]): Error {
    const { topic, partition } = this.name;
    const [first] = rows;
    const error = new Error(
      `${topic}-${partition} is not what its index says, at offset ${first?.baseOffset} or after it`,
    );
    this.#indexLies = true;
    this.fail(error);
    return error;
  }

  async #load(options: { trustIndex: boolean }): Promise<void> {
    try {
      const tail = new LogTail(this.#parts.tail);
      const { state, index } = await loadLog(this.#parts, this.name.log, { tail, ...options });
      if (this.#failure) throw this.#failure;
      this.#state = state;
      this.#index = index;
    } finally {
      this.#loading = undefined;
    }
  }

  #opened(): LogState {
    if (this.#failure) throw this.#failure;
    if (!this.#state) throw new Error(`log ${this.name.topic}-${this.name.partition} is not open`);
    return this.#state;
  }

  /** Lets go of the batches in memory; reads under way find an empty log. */
  #forget(): void {
    const state = this.#state;
    if (!state) return;
    this.#state = undefined;
    state.isGone = true;
    state.generation++;
    state.tail.cutFrom(0);
  }
}
