import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';
import { BatchHeader, CRC_START, HEADER_SIZE } from '../records/header.ts';
import type { FileCache } from './file-cache.ts';
import { INT32_MAX, type LogSegment } from './log-segment.ts';
import { readAlike } from './read-alike.ts';

/** One slice of work between two waits: a checksum over it takes well under a millisecond. */
const SLICE_BYTES = 256 * 1024;
/** No batch of ours is larger (a request is at most 100 MiB): a length above it is damage. */
const BATCH_MAX_BYTES = 256 * 1024 * 1024;

export interface Replay {
  /** Where the first batch starts. */
  position: number;
  endPosition: number;
  /** Batches that reach it do not belong here: the next segment starts there, or nobody was told of them. */
  endOffset: Offset;
  kernels: Kernels;
  /** What is false by its checksum, twice alike, is left to who reads it: the end of the log is where it was. */
  takesFalse: boolean;
}

/** How far the batches of a segment are whole and true. */
export interface Replayed {
  endPosition: number;
  /** Why it ends there; undefined when it is the end. */
  fault: string | undefined;
}

/**
 * Appends what the file holds from `position` on to `segment`, in memory, entries of its indexes included. What makes
 * no sense, or what nothing confirms, is believed when two reads in a row gave it.
 */
export async function replay(files: FileCache, segment: LogSegment, options: Replay): Promise<Replayed> {
  const { endPosition } = options;
  let buffer = new Uint8Array(Math.min(SLICE_BYTES, endPosition - options.position));
  let { position } = options;
  const replayNext = (
    bytes: Uint8Array,
    { wantedBytes, isSure }: { wantedBytes: number; isSure: boolean },
  ): Slice => {
    const availableBytes = endPosition - position;
    const slice = replaySlice(segment, bytes, { ...options, availableBytes, isSure });
    position += slice.usedBytes;
    const isTorn = bytes.length < wantedBytes || slice.neededBytes > endPosition - position;
    return isTorn ? { ...slice, doubt: slice.doubt ?? 'the last batch is torn' } : slice;
  };
  while (position < endPosition) {
    const from = position;
    const bytes = buffer.subarray(0, Math.min(buffer.length, endPosition - from));
    const filled = await files.use(segment.path, (file) => file.read(from, bytes));
    let slice = replayNext(bytes.subarray(0, filled), { wantedBytes: bytes.length, isSure: false });
    if (slice.doubt !== undefined) {
      const doubted = position;
      const wantedBytes = Math.min(buffer.length, endPosition - doubted);
      const alike = await files.use(segment.path, (file) => readAlike(file, doubted, wantedBytes));
      slice = replayNext(alike, { wantedBytes, isSure: true });
      if (slice.doubt !== undefined) return { endPosition: position, fault: slice.doubt };
    }
    if (slice.neededBytes > buffer.length) buffer = new Uint8Array(slice.neededBytes);
  }
  return { endPosition: position, fault: undefined };
}

/** What came of some bytes: all whole batches up to `usedBytes`. */
interface Slice {
  usedBytes: number;
  /** From there on, to go on; 0 when nobody knows. */
  neededBytes: number;
  /** Why what comes next is not believed, or not yet. */
  doubt?: string;
}

function replaySlice(
  segment: LogSegment,
  slice: Uint8Array,
  options: Replay & { availableBytes: number; isSure: boolean },
): Slice {
  const header = new BatchHeader(slice);
  let usedBytes = 0;
  while (usedBytes < slice.length) {
    if (slice.length - usedBytes < HEADER_SIZE) return { usedBytes, neededBytes: HEADER_SIZE };
    const { sizeBytes } = header.seek(usedBytes);
    const fault = headerFault(header, segment.nextOffset, options.endOffset) ?? placeFault(header, segment);
    if (fault !== undefined) return { usedBytes, neededBytes: 0, doubt: fault };
    const hasGap = header.baseOffset > segment.nextOffset;
    const isLast = usedBytes + sizeBytes + HEADER_SIZE > options.availableBytes;
    const looksAhead = hasGap && !isLast;
    const neededBytes = sizeBytes + (looksAhead ? HEADER_SIZE : 0);
    if (slice.length - usedBytes < neededBytes) return { usedBytes, neededBytes };
    const next = looksAhead ? whatNextSays(header, segment.nextOffset) : 'nothing';
    if (next === 'another offset') return { usedBytes, neededBytes: 0, doubt: 'an offset has changed' };
    if (hasGap && next === 'nothing' && !options.isSure)
      return { usedBytes, neededBytes: 0, doubt: 'nothing confirms an offset' };
    header.seek(usedBytes);
    const covered = slice.subarray(usedBytes + CRC_START, usedBytes + sizeBytes);
    const mayBeFalse = options.isSure && options.takesFalse;
    if (!mayBeFalse && options.kernels.crc32c(covered) !== header.crc)
      return { usedBytes, neededBytes: 0, doubt: 'a checksum is wrong' };
    const { baseOffset, lastOffset, maxTimestamp } = header;
    segment.append({ baseOffset, lastOffset, maxTimestamp, sizeBytes });
    usedBytes += sizeBytes;
  }
  return { usedBytes, neededBytes: 0 };
}

/** Why no batch of a log that goes on at `nextOffset` starts here. */
export function headerFault(
  header: BatchHeader,
  nextOffset: Offset,
  endOffset: Offset = Infinity,
): string | undefined {
  if (header.sizeBytes < HEADER_SIZE || header.sizeBytes > BATCH_MAX_BYTES) return 'a length is impossible';
  if (header.magic !== 2) return `magic ${header.magic} is not 2`;
  if (header.baseOffset < nextOffset || header.lastOffsetDelta < 0) return 'offsets do not rise';
  if (!Number.isSafeInteger(header.lastOffset)) return 'an offset is impossible';
  if (header.lastOffset >= endOffset) return `offset ${header.lastOffset} is not acknowledged or not its own`;
  return undefined;
}

function placeFault({ lastOffset }: BatchHeader, { baseOffset, sizeBytes }: LogSegment): string | undefined {
  return sizeBytes > 0 && lastOffset - baseOffset > INT32_MAX ? 'an offset is not of its segment' : undefined;
}

/**
 * A base offset has no checksum. Where a batch claims to begin after a gap, what does the next one say? It begins where
 * there would be none, or right behind that batch, or it does not tell. Moves `header` on.
 */
function whatNextSays(header: BatchHeader, nextOffset: Offset): 'another offset' | 'the same' | 'nothing' {
  const { lastOffset, lastOffsetDelta, position, sizeBytes } = header;
  const { magic, baseOffset } = header.seek(position + sizeBytes);
  if (magic !== 2) return 'nothing';
  if (baseOffset === lastOffset + 1) return 'the same';
  return baseOffset <= lastOffset && baseOffset > nextOffset + lastOffsetDelta ? 'another offset' : 'nothing';
}
