import { at } from '../model/assert.ts';
import { type Allocate, concat } from '../model/bytes.ts';
import type { Offset } from '../model/ids.ts';
import { firstReaching } from '../model/search.ts';
import { Slabs } from '../model/slabs.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { OVERHEAD_BYTES, pins } from '../records/keepable.ts';
import type { LogSegment } from './log-segment.ts';

/** A batch in memory: it is read from here, and nowhere else before it is written. */
export interface TailBatch {
  readonly baseOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  /** Empty once it is out of the tail. */
  bytes: Uint8Array;
  written: boolean;
}

/** A batch that has its place in a segment's file. */
export interface SegmentBatch extends TailBatch {
  readonly segment: LogSegment;
  readonly position: number;
}

interface Kept {
  batch: TailBatch;
  log: { dropFirst(): void };
}

/** Larger batches are kept where they lie: the tail counts all of a buffer, and copying costs. */
export const COPY_MAX_BYTES = 16 * 1024;
const COMPACT_AFTER = 1024;
const NO_BYTES = new Uint8Array(0);

/**
 * The newest batches of all logs, oldest out first. The bound holds for what is written: what is not cannot go. A
 * buffer that several batches share counts once, and as a whole.
 */
export class Tail {
  readonly #maxBytes: number;
  #bytes = 0;
  #count = 0;
  /** In order of appending, of all logs, those among them that have left their log's tail; `#head` is the oldest. */
  #queue: Kept[] = [];
  #head = 0;
  readonly #users = new Map<ArrayBufferLike, number>();
  readonly #slabs: Slabs;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#slabs = new Slabs(maxBytes);
  }

  /** Memory held alive. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** `bytes` as a batch here may have them: small ones are copied, lest they keep all that a socket read alive. */
  keepable(bytes: Uint8Array): Uint8Array {
    return bytes.length <= COPY_MAX_BYTES && pins(bytes) ? this.#slabs.copy(bytes) : bytes;
  }

  add(log: Kept['log'], batch: TailBatch): void {
    this.#queue.push({ batch, log });
    const { buffer } = batch.bytes;
    const users = this.#users.get(buffer) ?? 0;
    this.#users.set(buffer, users + 1);
    this.#count++;
    this.#bytes += OVERHEAD_BYTES + (users === 0 ? buffer.byteLength : 0);
  }

  /** `batch` is no longer in its log's tail. */
  released(batch: TailBatch): void {
    const { buffer } = batch.bytes;
    batch.bytes = NO_BYTES;
    this.#count--;
    const users = (this.#users.get(buffer) ?? 1) - 1;
    if (users === 0) this.#users.delete(buffer);
    else this.#users.set(buffer, users);
    this.#bytes -= OVERHEAD_BYTES + (users === 0 ? buffer.byteLength : 0);
  }

  /** Lets go of the oldest batches until the bound holds, up to one that is not written yet. */
  shrink(): void {
    for (; this.#head < this.#queue.length; this.#head++) {
      const { batch, log } = at(this.#queue, this.#head);
      if (batch.bytes === NO_BYTES) continue;
      if (this.#bytes <= this.#maxBytes || !batch.written) break;
      log.dropFirst();
    }
    if (this.#queue.length < COMPACT_AFTER + 2 * this.#count) return;
    this.#queue = this.#queue.filter(({ batch }) => batch.bytes !== NO_BYTES);
    this.#head = 0;
  }
}

/** One log's part: its last batches, without a gap up to the log end. */
export class LogTail<Batch extends TailBatch = TailBatch> {
  readonly #all: Tail;
  #batches: Batch[] = [];
  #head = 0;

  constructor(all: Tail) {
    this.#all = all;
  }

  get first(): Batch | undefined {
    return this.#batches[this.#head];
  }

  push(batch: Batch): void {
    this.#batches.push(batch);
    this.#all.add(this, batch);
  }

  dropFirst(): void {
    const batch = at(this.#batches, this.#head++);
    this.#all.released(batch);
    if (this.#head < 64 || this.#head * 2 < this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#head);
    this.#head = 0;
  }

  /** Batches below `offset` are gone from the log. */
  dropBelow(offset: Offset): void {
    for (let first = this.first; first && first.lastOffset < offset; first = this.first) this.dropFirst();
  }

  /** Batches that reach `offset` are gone from the log. */
  cutFrom(offset: Offset): void {
    while (this.#batches.length > this.#head) {
      const last = at(this.#batches, this.#batches.length - 1);
      if (last.lastOffset < offset) return;
      this.#batches.pop();
      this.#all.released(last);
    }
  }

  /** Whole batches from the one that holds `fromOffset` or the next; more than one are joined in a copy. */
  read({ fromOffset, endOffset, maxBytes }: ReadRange, allocate?: Allocate): Uint8Array {
    const start = firstReaching(this.#batches, fromOffset, this.#head);
    let end = start;
    let sizeBytes = 0;
    for (; end < this.#batches.length; end++) {
      const { lastOffset, bytes } = at(this.#batches, end);
      if (lastOffset >= endOffset || (end > start && sizeBytes + bytes.length > maxBytes)) break;
      sizeBytes += bytes.length;
    }
    if (end - start === 1) return at(this.#batches, start).bytes;
    const chunks = this.#batches.slice(start, end).map(({ bytes }) => bytes);
    return concat(chunks, allocate);
  }
}
