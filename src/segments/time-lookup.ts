import type { Millis, Offset } from '../model/ids.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { readAgain } from '../ports/read-again.ts';
import { BatchHeader } from '../records/header.ts';
import type { IndexEntry } from './index-entries.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogState } from './log-state.ts';

const SCAN_BYTES = 64 * 1024;

export interface TimeLookupParts {
  state: LogState;
  read: (range: ReadRange) => Uint8Array | Promise<Uint8Array>;
  /** The last time entry up to `timestamp`. */
  floor: (segment: LogSegment, timestamp: Millis) => Promise<IndexEntry | undefined>;
  /** The error to throw when a segment's time index is damaged. */
  damage: (segment: LogSegment) => Error;
}

/** Finds the batches of one log by time: by the time indexes of its segments, then batch by batch. */
export class TimeLookup {
  readonly #parts: TimeLookupParts;
  /** Segments whose last time entry agrees with the batch it is about. */
  readonly #checked = new WeakSet<LogSegment>();

  constructor(parts: TimeLookupParts) {
    this.#parts = parts;
  }

  /** See the port. */
  async batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    const segments = this.#parts.state.segments.slice();
    for (const segment of segments) {
      if (segment.nextOffset <= fromOffset) continue;
      if (!this.#checked.has(segment)) await this.#checkLast(segment);
      this.#checked.add(segment);
      if (segment.maxTimestamp < timestamp) continue;
      const below = await this.#below(segment, timestamp);
      const start = Math.max(fromOffset, segment.baseOffset + (below?.value ?? 0));
      const found = await this.#scan(start, segment.nextOffset, timestamp);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #checkLast(segment: LogSegment): Promise<void> {
    const { last } = segment.times;
    const isTrue = await readAgain(async () => (await this.#agrees(segment, last)) || undefined);
    if (!isTrue) throw this.#parts.damage(segment);
  }

  /** The last time entry up to `timestamp`; what is in memory of an index may have been read wrong. */
  async #below(segment: LogSegment, timestamp: Millis): Promise<IndexEntry | undefined> {
    const found = await readAgain(async () => {
      const below = await this.#parts.floor(segment, timestamp);
      if (await this.#agrees(segment, below)) return { below };
      segment.times.unload();
      return undefined;
    });
    if (found) return found.below;
    throw this.#parts.damage(segment);
  }

  /** An index has no checksum: what it says is only believed when the batch it is about says so too. */
  async #agrees(segment: LogSegment, entry: IndexEntry | undefined): Promise<boolean> {
    const { state, read } = this.#parts;
    const offset = segment.baseOffset + (entry?.value ?? 0);
    if (entry === undefined || offset < state.logStartOffset) return true;
    const bytes = await read({ fromOffset: offset, endOffset: Infinity, maxBytes: 1 });
    const header = bytes.length === 0 ? undefined : new BatchHeader(bytes);
    if (header && header.baseOffset <= offset && header.maxTimestamp === entry.key) return true;
    return !state.segments.includes(segment);
  }

  async #scan(start: Offset, endOffset: Offset, timestamp: Millis): Promise<Offset | undefined> {
    for (let fromOffset = start; fromOffset < endOffset;) {
      const bytes = await this.#parts.read({ fromOffset, endOffset, maxBytes: SCAN_BYTES });
      const header = new BatchHeader(bytes);
      if (bytes.length === 0) return undefined;
      for (let position = 0; position < bytes.length; position += header.sizeBytes) {
        if (header.seek(position).maxTimestamp >= timestamp) return header.baseOffset;
        fromOffset = header.lastOffset + 1;
      }
    }
    return undefined;
  }
}
