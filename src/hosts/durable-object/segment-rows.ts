import { at } from '../../model/assert.ts';
import type { HeldBatch } from '../../log/row-replacement.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import type { ReplacedRange, Segment } from '../../ports/log-store.ts';
import type { Sums } from './batch-rows.ts';
import { tablesOf } from './schema.ts';
import type { SqlDatabase } from './sql.ts';

type SegmentRow = {
  base: Offset;
  /** Null while it is active: its sums are those of its rows. */
  next: Offset | null;
  size: number;
  maxTimestamp: Millis;
  firstTimestamp: Millis;
};

/** What has the batches. */
interface Summed {
  sums(offset: Offset, endOffset?: Offset): Sums;
}

/** The segments of one log: where in its rows they begin, and what is in them. In memory, rolls are stored. */
export class SegmentRows {
  readonly #sql: SqlDatabase['sql'];
  readonly #table: string;
  readonly #batches: Summed;
  /** Ascending, never empty; the last one is active, and its `nextOffset` is not kept. */
  #segments: Segment[];

  /** @param log its number. A log that has no segments yet gets its first. */
  constructor({ sql }: SqlDatabase, batches: Summed, log: number) {
    this.#sql = sql;
    this.#batches = batches;
    this.#table = tablesOf(log).segments;
    const rows = sql.exec<SegmentRow>(`SELECT * FROM ${this.#table} ORDER BY base`).toArray();
    this.#segments = rows.map(({ base, next, size, maxTimestamp, firstTimestamp }) => ({
      baseOffset: base,
      nextOffset: next ?? base,
      sizeBytes: size,
      maxTimestamp,
      firstTimestamp,
    }));
    if (rows.length === 0) this.#start(0);
    else this.#sumActive();
  }

  get active(): Segment {
    return at(this.#segments, this.#segments.length - 1);
  }

  /** Ascending, as they are now. */
  list(logEndOffset: Offset): Segment[] {
    const { active } = this;
    return this.#segments.map((segment) => ({
      ...segment,
      nextOffset: segment === active ? logEndOffset : segment.nextOffset,
    }));
  }

  append({ maxTimestamp, bytes }: HeldBatch): void {
    const { active } = this;
    if (active.sizeBytes === 0) active.firstTimestamp = maxTimestamp;
    active.sizeBytes += bytes.length;
    active.maxTimestamp = Math.max(active.maxTimestamp, maxTimestamp);
  }

  /** Closes the active segment, unless it is empty, and starts another. */
  roll(logEndOffset: Offset): void {
    const { active } = this;
    if (active.baseOffset === logEndOffset) return;
    active.nextOffset = logEndOffset;
    this.#put(active, logEndOffset);
    this.#start(logEndOffset);
  }

  /** Segments wholly below `startOffset` go. @returns the base of the oldest that is left, when some went. */
  trim(startOffset: Offset): Offset | undefined {
    const oldest = this.#segments.findLastIndex(({ baseOffset }) => baseOffset <= startOffset);
    if (oldest <= 0) return undefined;
    this.#segments = this.#segments.slice(oldest);
    const { baseOffset } = at(this.#segments, 0);
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE base < ?`, baseOffset);
    return baseOffset;
  }

  /** Batches are gone and the log ends at `logEndOffset` now: the segment there is active again. */
  cut(logEndOffset: Offset): void {
    const before = this.#segments.length;
    this.#segments = this.#segments.filter(
      ({ baseOffset }, number) => number === 0 || baseOffset <= logEndOffset,
    );
    this.#sumActive();
    if (this.#segments.length === before) return;
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE base > ?`, this.active.baseOffset);
    this.#put(this.active, null);
  }

  /** Rows of closed segments have changed in the range. */
  changed({ fromOffset, toOffset }: ReplacedRange): void {
    for (const segment of this.#segments.slice(0, -1)) {
      if (segment.nextOffset <= fromOffset || segment.baseOffset >= toOffset) continue;
      Object.assign(segment, this.#batches.sums(segment.baseOffset, segment.nextOffset));
      this.#put(segment, segment.nextOffset);
    }
  }

  /** The closed segments of the range become one. */
  merge({ fromOffset, toOffset }: ReplacedRange): void {
    const first = this.#segments.find(({ baseOffset }) => baseOffset === fromOffset);
    if (!first || first.nextOffset === toOffset) return;
    first.nextOffset = toOffset;
    this.#segments = this.#segments.filter(
      ({ baseOffset }) => baseOffset <= fromOffset || baseOffset >= toOffset,
    );
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE base > ? AND base < ?`, fromOffset, toOffset);
    this.changed({ fromOffset, toOffset });
  }

  #start(baseOffset: Offset): void {
    const segment = {
      baseOffset,
      nextOffset: baseOffset,
      sizeBytes: 0,
      maxTimestamp: -1,
      firstTimestamp: -1,
    };
    this.#segments.push(segment);
    this.#put(segment, null);
  }

  #sumActive(): void {
    const { active } = this;
    Object.assign(active, this.#batches.sums(active.baseOffset));
  }

  #put({ baseOffset, sizeBytes, maxTimestamp, firstTimestamp }: Segment, next: Offset | null): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO ${this.#table} (base, next, size, maxTimestamp, firstTimestamp)
       VALUES (?, ?, ?, ?, ?)`,
      baseOffset,
      next,
      sizeBytes,
      maxTimestamp,
      firstTimestamp,
    );
  }
}
