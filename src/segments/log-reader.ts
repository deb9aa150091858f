import { at } from '../model/assert.ts';
import type { Allocate } from '../model/bytes.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { readAgain } from '../ports/read-again.ts';
import { LogDamaged, type ReadRange } from '../ports/log-store.ts';
import { BatchHeader, CRC_START, HEADER_SIZE } from '../records/header.ts';
import type { IndexFile } from './index-file.ts';
import type { IndexEntry } from './index-entries.ts';
import { rebuildIndexes } from './log-loader.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogState } from './log-state.ts';
import type { StoreParts } from './parts.ts';
import { chooseBatches } from './choose-batches.ts';
import type { Chosen } from './choose-batches.ts';

const EMPTY = new Uint8Array(0);
/** Readers that follow a log one after the other and whose place is remembered. */
const PLACES_MAX = 8;
const SCAN_BYTES = 64 * 1024;
/** The next batch, whatever it is. */
const WHOLE_BATCH = { endOffset: Infinity, maxBytes: 1 };

interface Place {
  segment: LogSegment;
  position: number;
  /** Of the state when the read began: after a truncation the position means nothing. */
  generation: number;
}

/** Where to start reading a segment's file. */
interface Start {
  position: number;
  /** May lie between the start and what is wanted. */
  slackBytes: number;
  /** The base offset of the batch there lies in between (inclusive), or something has lied. */
  earliestBase: Offset;
  latestBase: Offset;
}

/** Reads one log: from memory what the tail has, else from a segment's file. */
export class LogReader {
  readonly #state: LogState;
  readonly #parts: StoreParts;
  /** Where the batch after the last one read starts, by the offset to read next; the oldest goes first. */
  readonly #places = new Map<Offset, Place>();
  readonly #damaged: (segment: LogSegment) => void;
  readonly #allocate: Allocate;
  /** Segments whose last time entry agrees with the batch it is about. */
  readonly #timesChecked = new WeakSet<LogSegment>();

  /** @param damaged told of a segment that cannot be read, because of it or of its indexes. */
  constructor(state: LogState, parts: StoreParts, damaged: (segment: LogSegment) => void) {
    this.#state = state;
    this.#parts = parts;
    this.#allocate = (sizeBytes) => parts.disk.readBuffer?.(sizeBytes) ?? new Uint8Array(sizeBytes);
    this.#damaged = damaged;
  }

  /** See the port. `fromOffset` may lie below the log start when the caller means the segment's batches. */
  read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const { tail, logEndOffset } = this.#state;
    if (range.fromOffset >= logEndOffset) return EMPTY;
    const { first } = tail;
    return first && range.fromOffset >= first.baseOffset
      ? tail.read(range, this.#allocate)
      : this.#readFiles(range);
  }

  /** See the port. */
  async batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    const segments = this.#state.segments.slice();
    for (const segment of segments) {
      if (segment.nextOffset <= fromOffset) continue;
      if (!this.#timesChecked.has(segment)) await this.#checkTime(segment, segment.times.last);
      this.#timesChecked.add(segment);
      if (segment.maxTimestamp < timestamp) continue;
      const below = await this.#floor(segment, segment.times, timestamp);
      await this.#checkTime(segment, below);
      const start = Math.max(fromOffset, segment.baseOffset + (below?.value ?? 0));
      const found = await this.#scan(start, segment.nextOffset, timestamp);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** An index has no checksum: what it says is only believed when the batch it is about says so too. */
  async #checkTime(segment: LogSegment, entry: IndexEntry | undefined): Promise<void> {
    const offset = segment.baseOffset + (entry?.value ?? 0);
    if (entry === undefined || offset < this.#state.logStartOffset) return;
    const bytes = await this.read({ fromOffset: offset, endOffset: Infinity, maxBytes: 1 });
    const header = bytes.length === 0 ? undefined : new BatchHeader(bytes);
    if (header && header.baseOffset <= offset && header.maxTimestamp === entry.key) return;
    if (!this.#state.segments.includes(segment)) return;
    throw this.#damage({ segment, generation: this.#state.generation }, segment.times.path);
  }

  /** What a read finds that began before a truncation says nothing of what is there now. */
  #damage({ segment, generation }: Omit<Place, 'position'>, path: string, more = ''): Error {
    if (generation === this.#state.generation) this.#damaged(segment);
    return new LogDamaged(`${path} is damaged${more}`);
  }

  async #scan(start: Offset, endOffset: Offset, timestamp: Millis): Promise<Offset | undefined> {
    for (let fromOffset = start; fromOffset < endOffset;) {
      const bytes = await this.read({ fromOffset, endOffset, maxBytes: SCAN_BYTES });
      const header = new BatchHeader(bytes);
      if (bytes.length === 0) return undefined;
      for (let position = 0; position < bytes.length; position += header.sizeBytes) {
        if (header.seek(position).maxTimestamp >= timestamp) return header.baseOffset;
        fromOffset = header.lastOffset + 1;
      }
    }
    return undefined;
  }

  async #readFiles(range: ReadRange): Promise<Uint8Array> {
    const state = this.#state;
    while (!state.isGone) {
      const { generation } = state;
      const { first } = state.tail;
      try {
        const bytes = await this.#readFrom(range);
        if (generation !== state.generation) continue;
        if (bytes) return bytes;
        // Nothing up to the tail: it has the next batch, unless the oldest of it went to the files meanwhile.
        if (first === state.tail.first) return first ? state.tail.read(range, this.#allocate) : EMPTY;
      } catch (error) {
        if (generation === state.generation) throw error;
      }
    }
    return EMPTY;
  }

  /** Undefined when the files hold nothing at or after `fromOffset`. */
  async #readFrom(range: ReadRange): Promise<Uint8Array | undefined> {
    const { segments, tail } = this.#state;
    for (let number = this.#state.segmentOf(range.fromOffset); number < segments.length; number++) {
      const segment = at(segments, number);
      const { first } = tail;
      const endPosition = first?.segment === segment ? first.position : segment.sizeBytes;
      const bytes = await this.#readSegment(segment, endPosition, range);
      if (bytes || first?.segment === segment) return bytes;
    }
    return undefined;
  }

  async #readSegment(
    segment: LogSegment,
    endPosition: number,
    range: ReadRange,
  ): Promise<Uint8Array | undefined> {
    const { generation } = this.#state;
    // Once: a place that is known tells more of the batch there than an index does.
    const start = await this.#startOf(segment, range.fromOffset);
    let fault = '';
    const read = await readAgain(async () => {
      const found = await this.#readOnce({ segment, start, endPosition }, range);
      if (typeof found !== 'string') return found;
      fault = found;
      return undefined;
    });
    if (!read) throw this.#damage({ segment, generation }, segment.path, fault);
    return read.bytes;
  }

  /** @returns no bytes when the segment has none at or after `fromOffset`; where it is damaged when it seems to be. */
  async #readOnce(
    { segment, start, endPosition }: { segment: LogSegment; start: Start; endPosition: number },
    range: ReadRange,
  ): Promise<{ bytes: Uint8Array | undefined } | string> {
    const { generation } = this.#state;
    let { position } = start;
    let atLeastBytes = HEADER_SIZE;
    while (position < endPosition) {
      // With the next header, which tells whether the batch before it is believed.
      const wanted = Math.max(range.maxBytes + start.slackBytes, atLeastBytes) + HEADER_SIZE;
      const bytes = await this.#readAt(segment, position, Math.min(endPosition - position, wanted));
      const isRead = bytes && (position > start.position || isRight(start, bytes));
      const chosen = isRead ? chooseBatches(bytes, endPosition - position, range) : undefined;
      if (!bytes || !chosen || (chosen.type === 'batches' && chosen.nextOffset > segment.nextOffset))
        return `, or its index, at byte ${position}`;
      if (chosen.type === 'batches') {
        const checked = this.#check(segment, position, bytes, chosen);
        if (!checked) return ` at byte ${position + chosen.start}`;
        return { bytes: this.#chosen({ segment, position, generation }, bytes, checked) };
      }
      if (chosen.type === 'end') {
        // That it ends where nobody may read yet is to be believed of a batch that is true.
        const next = await this.#readOnce({ segment, start, endPosition }, { ...range, ...WHOLE_BATCH });
        return typeof next === 'string' ? next : { bytes: EMPTY };
      }
      position += chosen.skippedBytes;
      atLeastBytes = chosen.neededBytes;
    }
    return { bytes: undefined };
  }

  /**
   * Checksums of what an earlier process left are looked at once, when it is first read.
   * @returns what is whole of `chosen`, undefined when its first batch is not.
   */
  #check({ unchecked }: LogSegment, position: number, bytes: Uint8Array, chosen: Chosen): Chosen | undefined {
    const start = position + chosen.start;
    if (start >= unchecked.to || position + chosen.end <= unchecked.from) return chosen;
    const { kernels } = this.#parts;
    const header = new BatchHeader(bytes);
    for (let at = chosen.start; at < chosen.end; at += header.sizeBytes) {
      const { sizeBytes, crc, baseOffset } = header.seek(at);
      if (kernels.crc32c(bytes.subarray(at + CRC_START, at + sizeBytes)) === crc) continue;
      return at === chosen.start ? undefined : { ...chosen, end: at, nextOffset: baseOffset };
    }
    if (start <= unchecked.from) unchecked.from = position + chosen.end;
    return chosen;
  }

  /** Memory is taken when it is its turn; undefined when the file has not as much. */
  #readAt(segment: LogSegment, position: number, sizeBytes: number): Promise<Uint8Array | undefined> {
    const { files, reads } = this.#parts;
    return reads.run(sizeBytes, async () => {
      const bytes = this.#allocate(sizeBytes);
      const filled = await files.use(segment.path, (file) => file.read(position, bytes));
      return filled < sizeBytes ? undefined : bytes;
    });
  }

  #chosen(place: Place, bytes: Uint8Array, chosen: Chosen): Uint8Array {
    const { start, end, nextOffset } = chosen;
    const [oldest] = this.#places.keys();
    if (this.#places.size >= PLACES_MAX && oldest !== undefined) this.#places.delete(oldest);
    this.#places.delete(nextOffset);
    this.#places.set(nextOffset, { ...place, position: place.position + end });
    // A buffer much larger than what is in it would stay alive as long as that.
    return end - start < bytes.buffer.byteLength / 2 ? bytes.slice(start, end) : bytes.subarray(start, end);
  }

  /** A batch's start at or before `offset`, and what may lie between the two. */
  async #startOf(segment: LogSegment, offset: Offset): Promise<Start> {
    const place = this.#places.get(offset);
    if (place?.segment === segment && place.generation === this.#state.generation) {
      this.#places.delete(offset);
      return { position: place.position, slackBytes: 0, earliestBase: offset, latestBase: Infinity };
    }
    const below = await this.#floor(segment, segment.offsets, offset - segment.baseOffset);
    return {
      position: below?.value ?? 0,
      slackBytes: 2 * this.#parts.indexIntervalBytes,
      earliestBase: segment.baseOffset,
      latestBase: below ? offset : Infinity,
    };
  }

  async #floor(segment: LogSegment, index: IndexFile, target: number): Promise<IndexEntry | undefined> {
    const view = await index.view();
    if (view) {
      const number = view.floor(target);
      return number < 0 ? undefined : view.at(number);
    }
    // Only a closed segment gets here: an active one's indexes were looked at when the log was opened.
    this.#parts.warn(`${index.path} is damaged: building it anew`);
    const rebuilt = await rebuildIndexes(this.#parts, segment);
    const { segments } = this.#state;
    const number = segments.indexOf(segment);
    if (number >= 0) segments[number] = rebuilt;
    return this.#floor(rebuilt, index === segment.offsets ? rebuilt.offsets : rebuilt.times, target);
  }
}

function isRight({ earliestBase, latestBase }: Start, bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_SIZE) return true;
  const { baseOffset } = new BatchHeader(bytes);
  return baseOffset >= earliestBase && baseOffset <= latestBase;
}
