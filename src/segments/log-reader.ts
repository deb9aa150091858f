import { at } from '../model/assert.ts';
import { type Allocate, sameBytes } from '../model/bytes.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { LogDamaged, type ReadRange } from '../ports/log-store.ts';
import { BatchHeader, CRC_START, HEADER_SIZE } from '../records/header.ts';
import type { IndexFile } from './index-file.ts';
import type { IndexEntry } from './index-entries.ts';
import { rebuildIndexes } from './log-loader.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogState } from './log-state.ts';
import type { StoreParts } from './parts.ts';
import { TimeLookup } from './time-lookup.ts';
import { type Chosen, Walk, chooseBatches } from './choose-batches.ts';

const EMPTY = new Uint8Array(0);
/** Readers that follow a log one after the other and whose place is remembered. */
const PLACES_MAX = 8;
const READS_MAX = 8;
/** The next batch, whatever it is. */
const WHOLE_BATCH = { endOffset: Infinity, maxBytes: 1 };

interface Place {
  segment: LogSegment;
  position: number;
  /** Of the state when the read began: after a truncation the position means nothing. */
  generation: number;
}

/** What of a segment is in its file. */
interface Written {
  segment: LogSegment;
  endPosition: number;
  /** Follows the last batch there. */
  nextOffset: Offset;
}

/** What a read gave. */
interface Found {
  /** Undefined when the segment has none at or after what was asked for. */
  bytes: Uint8Array | undefined;
  /** The batch after them. */
  next?: { offset: Offset; position: number };
  isSure: boolean;
}

/** Of a segment's file. */
interface Piece {
  position: number;
  sizeBytes: number;
  into: Uint8Array | undefined;
}

/** Where to start reading a segment's file. */
interface Start {
  /** A batch read before ended there. */
  isKnown: boolean;
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
  readonly #times: TimeLookup;
  readonly #allocate: Allocate;

  /** @param damaged told of a segment that cannot be read, because of it or of its indexes. */
  constructor(state: LogState, parts: StoreParts, damaged: (segment: LogSegment) => void) {
    this.#state = state;
    this.#parts = parts;
    this.#allocate = (sizeBytes) => parts.disk.readBuffer?.(sizeBytes) ?? new Uint8Array(sizeBytes);
    this.#damaged = damaged;
    this.#times = new TimeLookup({
      state,
      read: (range) => this.read({ ...range, isVerified: true }),
      floor: (segment, timestamp) => this.#floor(segment, segment.times, timestamp),
      damage: (segment) => this.#damage({ segment, generation: state.generation }, segment.times.path),
    });
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
  batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#times.batchAt(timestamp, fromOffset);
  }

  /** What a read finds that began before a truncation says nothing of what is there now. */
  #damage({ segment, generation }: Omit<Place, 'position'>, path: string, more = ''): Error {
    if (generation === this.#state.generation) this.#damaged(segment);
    return new LogDamaged(`${path} is damaged${more}`);
  }

  async #readFiles(range: ReadRange): Promise<Uint8Array> {
    const state = this.#state;
    while (!state.isGone) {
      if (state.swapping) await state.swapping;
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
      const isTail = first?.segment === segment;
      const endPosition = isTail ? first.position : segment.sizeBytes;
      const nextOffset = isTail ? first.baseOffset : segment.nextOffset;
      const bytes = await this.#readSegment({ segment, endPosition, nextOffset }, range);
      if (bytes || isTail) return bytes;
    }
    return undefined;
  }

  /** What makes no sense is read again, and what nothing vouches for is believed once two reads gave the same. */
  async #readSegment(written: Written, range: ReadRange): Promise<Uint8Array | undefined> {
    const { generation } = this.#state;
    const { segment } = written;
    let start = await this.#startOf(segment, range.fromOffset);
    let fault: string | undefined;
    let before: Found | undefined;
    for (let reads = 0; reads < READS_MAX; reads++) {
      // What is to be compared lies in memory of its own.
      const found = await this.#readOnce(written, start, reads === 0 ? range : { ...range, into: EMPTY });
      if (typeof found !== 'string') {
        const isAlike = before && sameBytes(before.bytes ?? EMPTY, found.bytes ?? EMPTY);
        if (found.isSure || isAlike) return this.#remember({ segment, generation }, found);
        before = found;
        continue;
      }
      if (fault !== undefined) throw this.#damage({ segment, generation }, segment.path, found);
      fault = found;
      // A place that is known tells more of the batch there than an index does.
      if (!start.isKnown) start = await this.#startAgain(segment, range.fromOffset);
    }
    throw new Error(`${READS_MAX} reads of ${segment.path} each gave something else`);
  }

  /** @returns no bytes when the segment has none at or after `fromOffset`; where it is damaged when it seems to be. */
  async #readOnce(written: Written, start: Start, range: ReadRange): Promise<Found | string> {
    const { segment, endPosition, nextOffset } = written;
    const walk = new Walk(start.isKnown ? range.fromOffset : undefined);
    let { position } = start;
    let atLeastBytes = HEADER_SIZE;
    while (position < endPosition) {
      // With the next header, which tells whether the batch before it is believed.
      const wanted = Math.max(range.maxBytes + start.slackBytes, atLeastBytes) + HEADER_SIZE;
      const sizeBytes = Math.min(endPosition - position, wanted);
      const bytes = await this.#readAt(segment, { position, sizeBytes, into: range.into });
      const isRead = bytes && (position > start.position || isRight(start, bytes));
      const chosen = isRead ? chooseBatches(bytes, endPosition - position, range, walk) : undefined;
      if (!bytes || !chosen || (chosen.type === 'batches' && chosen.nextOffset > nextOffset))
        return `, or its index, at byte ${position}`;
      if (chosen.type === 'batches') {
        if (position + chosen.end === endPosition) walk.ends(nextOffset);
        const isUnchecked = segment.unchecked.meets(position + chosen.start, position + chosen.end);
        const mustCheck = isUnchecked || range.isVerified;
        const checked = mustCheck ? this.#check(segment, position, bytes, chosen) : chosen;
        if (!checked) return ` at byte ${position + chosen.start}`;
        const { start: first, end } = checked;
        // A buffer much larger than what is in it would stay alive as long as that.
        const isLarge = bytes.buffer !== range.into?.buffer && end - first < bytes.buffer.byteLength / 2;
        const batches = isLarge ? bytes.slice(first, end) : bytes.subarray(first, end);
        const next = { offset: checked.nextOffset, position: position + end };
        return { bytes: batches, next, isSure: walk.isSure };
      }
      if (chosen.type === 'end') {
        // That it ends where nobody may read yet is to be believed of a batch that is true.
        const next = await this.#readOnce(written, start, { ...range, ...WHOLE_BATCH });
        return typeof next === 'string' ? next : { bytes: EMPTY, isSure: false };
      }
      position += chosen.skippedBytes;
      atLeastBytes = chosen.neededBytes;
    }
    walk.ends(nextOffset);
    return { bytes: undefined, isSure: walk.isSure };
  }

  /**
   * Checksums of what an earlier process left are looked at once, when it is first read, and for who wants to be sure.
   * @returns what is whole of `chosen`, undefined when its first batch is not.
   */
  #check(segment: LogSegment, position: number, bytes: Uint8Array, chosen: Chosen): Chosen | undefined {
    const { kernels } = this.#parts;
    const header = new BatchHeader(bytes);
    for (let at = chosen.start; at < chosen.end; at += header.sizeBytes) {
      const { sizeBytes, crc, baseOffset } = header.seek(at);
      if (kernels.crc32c(bytes.subarray(at + CRC_START, at + sizeBytes)) === crc) continue;
      return at === chosen.start ? undefined : { ...chosen, end: at, nextOffset: baseOffset };
    }
    segment.unchecked = segment.unchecked.without(position + chosen.start, position + chosen.end);
    return chosen;
  }

  /** Memory is taken when it is its turn; undefined when the file has not as much. */
  #readAt(
    segment: LogSegment,
    { position, sizeBytes, into = EMPTY }: Piece,
  ): Promise<Uint8Array | undefined> {
    const { files, reads } = this.#parts;
    return reads.run(sizeBytes, async () => {
      const bytes = into.length >= sizeBytes ? into.subarray(0, sizeBytes) : this.#allocate(sizeBytes);
      const filled = await files.use(segment.path, (file) => file.read(position, bytes));
      return filled < sizeBytes ? undefined : bytes;
    });
  }

  /** Where the batch after those begins. @returns their bytes. */
  #remember(place: Omit<Place, 'position'>, { bytes, next }: Found): Uint8Array | undefined {
    if (next === undefined) return bytes;
    const [oldest] = this.#places.keys();
    if (this.#places.size >= PLACES_MAX && oldest !== undefined) this.#places.delete(oldest);
    this.#places.delete(next.offset);
    this.#places.set(next.offset, { ...place, position: next.position });
    return bytes;
  }

  /** A batch's start at or before `offset`, and what may lie between the two. */
  async #startOf(segment: LogSegment, offset: Offset): Promise<Start> {
    const place = this.#places.get(offset);
    if (place?.segment === segment && place.generation === this.#state.generation) {
      this.#places.delete(offset);
      return {
        isKnown: true,
        position: place.position,
        slackBytes: 0,
        earliestBase: offset,
        latestBase: Infinity,
      };
    }
    const below = await this.#floor(segment, segment.offsets, offset - segment.baseOffset);
    return {
      isKnown: false,
      position: below?.value ?? 0,
      slackBytes: 2 * this.#parts.indexIntervalBytes,
      earliestBase: segment.baseOffset,
      latestBase: below ? offset : Infinity,
    };
  }

  /** What is in memory of an index may have been read wrong, too. */
  #startAgain(segment: LogSegment, offset: Offset): Promise<Start> {
    segment.offsets.unload();
    return this.#startOf(segment, offset);
  }

  async #floor(segment: LogSegment, index: IndexFile, target: number): Promise<IndexEntry | undefined> {
    const view = await index.view();
    if (view) {
      const number = view.floor(target);
      return number < 0 ? undefined : view.at(number);
    }
    if (this.#state.swapping) await this.#state.swapping;
    // Its files are another's by now: whoever asks finds that its place is taken.
    if (!this.#state.segments.includes(segment)) return undefined;
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
