import { at } from '../model/assert.ts';
import { type Allocate, concat } from '../model/bytes.ts';
import type { Offset } from '../model/ids.ts';
import { firstReaching } from '../model/search.ts';
import { Slabs } from '../model/slabs.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { OVERHEAD_BYTES, pins } from '../records/keepable.ts';
import { type TailPart, batchReaching, cutPart, endWithin } from './tail-part.ts';

interface Kept {
  part: TailPart;
  log: { dropFirst(): void };
}

/** Larger batches are kept where they lie: the tail counts all of a buffer, and copying costs. */
export const COPY_MAX_BYTES = 16 * 1024;
const COMPACT_AFTER = 1024;
const NO_BYTES = new Uint8Array(0);

/**
 * The newest batches of all logs, by parts, the oldest out first. The bound holds for what is written: what is not
 * cannot go. A buffer that several parts share counts once, and as a whole.
 */
export class Tail {
  readonly #maxBytes: number;
  #bytes = 0;
  #count = 0;
  /** In order of their first batch, of all logs, those among them that have left their log's; `#head` is the oldest. */
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

  /**
   * `bytes` as a part here may begin with them: small ones are copied, lest they keep all that a socket read alive, and
   * behind them is room for as much again as the part `before` them took, within what slabs share.
   */
  keepable(bytes: Uint8Array, before: TailPart | undefined): Uint8Array {
    if (bytes.length > COPY_MAX_BYTES || !pins(bytes)) return bytes;
    const wantedBytes = Math.min(2 * (before?.sizeBytes ?? 0), this.#slabs.sharedMaxBytes);
    const memory = this.#slabs.take(Math.max(bytes.length, wantedBytes));
    memory.set(bytes);
    return memory;
  }

  add(log: Kept['log'], part: TailPart): void {
    this.#queue.push({ part, log });
    const { buffer } = part.bytes;
    const users = this.#users.get(buffer) ?? 0;
    this.#users.set(buffer, users + 1);
    this.#count++;
    this.#bytes += OVERHEAD_BYTES + (users === 0 ? buffer.byteLength : 0);
  }

  /** `part` is no longer in its log's tail. */
  released(part: TailPart): void {
    const { buffer } = part.bytes;
    part.bytes = NO_BYTES;
    this.#count--;
    const users = (this.#users.get(buffer) ?? 1) - 1;
    if (users === 0) this.#users.delete(buffer);
    else this.#users.set(buffer, users);
    this.#bytes -= OVERHEAD_BYTES + (users === 0 ? buffer.byteLength : 0);
  }

  /** Lets go of the oldest parts until the bound holds, up to one that is not written yet. */
  shrink(): void {
    for (; this.#head < this.#queue.length; this.#head++) {
      const { part, log } = at(this.#queue, this.#head);
      if (part.bytes === NO_BYTES) continue;
      if (this.#bytes <= this.#maxBytes || part.unwritten > 0) break;
      log.dropFirst();
    }
    if (this.#queue.length < COMPACT_AFTER + 2 * this.#count) return;
    this.#queue = this.#queue.filter(({ part }) => part.bytes !== NO_BYTES);
    this.#head = 0;
  }
}

/** What one log has there: its last batches, without a gap up to the log end. */
export class LogTail<Part extends TailPart = TailPart> {
  readonly #all: Tail;
  #parts: Part[] = [];
  #head = 0;

  constructor(all: Tail) {
    this.#all = all;
  }

  get first(): Part | undefined {
    return this.#parts[this.#head];
  }

  get last(): Part | undefined {
    return this.#parts.length > this.#head ? this.#parts.at(-1) : undefined;
  }

  /** See {@link Tail.keepable}. */
  keepable(bytes: Uint8Array): Uint8Array {
    return this.#all.keepable(bytes, this.last);
  }

  push(part: Part): void {
    this.#parts.push(part);
    this.#all.add(this, part);
  }

  /** Copies a batch behind those of the last part. @returns that; undefined, and nothing is done, if it has no room. */
  join({ lastOffset, bytes }: Pick<TailPart, 'lastOffset' | 'bytes'>): Part | undefined {
    const { last } = this;
    if (last === undefined || last.sizeBytes + bytes.length > last.bytes.length) return undefined;
    last.bytes.set(bytes, last.sizeBytes);
    last.sizeBytes += bytes.length;
    last.lastOffset = lastOffset;
    last.unwritten++;
    return last;
  }

  dropFirst(): void {
    const part = at(this.#parts, this.#head++);
    this.#all.released(part);
    if (this.#head < 64 || this.#head * 2 < this.#parts.length) return;
    this.#parts = this.#parts.slice(this.#head);
    this.#head = 0;
  }

  /** Batches below `offset` are gone from the log: what shares no part with others goes. */
  dropBelow(offset: Offset): void {
    for (let first = this.first; first && first.lastOffset < offset; first = this.first) this.dropFirst();
  }

  /** Batches that reach `offset` are gone from the log. */
  cutFrom(offset: Offset): void {
    for (let last = this.last; last && last.lastOffset >= offset; last = this.last) {
      cutPart(last, offset);
      if (last.sizeBytes > 0) return;
      this.#parts.pop();
      this.#all.released(last);
    }
  }

  /** Whole batches from the one that holds `fromOffset` or the next; those of several parts are joined in a copy. */
  read({ fromOffset, endOffset, maxBytes }: ReadRange, allocate?: Allocate): Uint8Array {
    const pieces: Uint8Array[] = [];
    let leftBytes = maxBytes;
    const first = firstReaching(this.#parts, fromOffset, this.#head);
    for (let number = first; number < this.#parts.length; number++) {
      const part = at(this.#parts, number);
      const start = part.baseOffset >= fromOffset ? 0 : batchReaching(part, fromOffset);
      const end = endWithin(part, start, { endOffset, maxBytes: leftBytes });
      const fits = pieces.length === 0 || end - start <= leftBytes;
      if (!fits || end === start) break;
      pieces.push(start === 0 && end === part.bytes.length ? part.bytes : part.bytes.subarray(start, end));
      if (end < part.sizeBytes) break;
      leftBytes -= end - start;
    }
    return pieces.length === 1 ? at(pieces, 0) : concat(pieces, allocate);
  }
}
