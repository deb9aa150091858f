import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';
import { BatchHeader, CRC_START, HEADER_SIZE } from '../records/header.ts';
import type { FileCache } from './file-cache.ts';
import { INT32_MAX, type LogSegment } from './log-segment.ts';

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
  /** Undefined trusts the checksums. */
  kernels: Kernels | undefined;
}

/** How far the batches of a segment are whole and true. */
export interface Replayed {
  endPosition: number;
  /** Why it ends there; undefined when it is the end. */
  fault: string | undefined;
}

/**
 * Appends what the file holds from `position` on to `segment`, in memory, entries of its indexes included. A fault is
 * believed when the batch is read once more and has one then, too.
 */
export async function replay(files: FileCache, segment: LogSegment, options: Replay): Promise<Replayed> {
  const { endPosition } = options;
  let buffer = new Uint8Array(Math.min(SLICE_BYTES, endPosition - options.position));
  let position = options.position;
  let doubted = -1;
  while (position < endPosition) {
    const slice = buffer.subarray(0, Math.min(buffer.length, endPosition - position));
    const from = position;
    const filled = await files.use(segment.path, (file) => file.read(from, slice));
    const range = { ...options, availableBytes: endPosition - from };
    const { usedBytes, neededBytes, fault } = replaySlice(segment, slice.subarray(0, filled), range);
    position += usedBytes;
    const isTorn = neededBytes > endPosition - position || filled < slice.length;
    if (fault !== undefined || isTorn) {
      if (position === doubted) return { endPosition: position, fault: fault ?? 'the last batch is torn' };
      doubted = position;
    } else if (neededBytes > buffer.length) buffer = new Uint8Array(neededBytes);
  }
  return { endPosition: position, fault: undefined };
}

function replaySlice(
  segment: LogSegment,
  slice: Uint8Array,
  options: Replay & { availableBytes: number },
): { usedBytes: number; neededBytes: number; fault?: string } {
  const header = new BatchHeader(slice);
  let usedBytes = 0;
  while (usedBytes < slice.length) {
    if (slice.length - usedBytes < HEADER_SIZE) return { usedBytes, neededBytes: HEADER_SIZE };
    const { sizeBytes } = header.seek(usedBytes);
    const fault = headerFault(header, segment.nextOffset, options.endOffset) ?? placeFault(header, segment);
    if (fault !== undefined) return { usedBytes, neededBytes: 0, fault };
    const isLast = usedBytes + sizeBytes + HEADER_SIZE > options.availableBytes;
    const looksAhead = header.baseOffset > segment.nextOffset && !isLast;
    const neededBytes = sizeBytes + (looksAhead ? HEADER_SIZE : 0);
    if (slice.length - usedBytes < neededBytes) return { usedBytes, neededBytes };
    if (looksAhead && isDisputed(header, segment.nextOffset))
      return { usedBytes, neededBytes: 0, fault: 'an offset has changed' };
    header.seek(usedBytes);
    const covered = slice.subarray(usedBytes + CRC_START, usedBytes + sizeBytes);
    if (options.kernels && options.kernels.crc32c(covered) !== header.crc)
      return { usedBytes, neededBytes: 0, fault: 'a checksum is wrong' };
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
 * A base offset has no checksum. A batch that claims to begin after a gap is not believed when the next one begins
 * where there would be none. Moves `header` on.
 */
function isDisputed(header: BatchHeader, nextOffset: Offset): boolean {
  const { lastOffset, lastOffsetDelta, position, sizeBytes } = header;
  const next = header.seek(position + sizeBytes);
  return next.magic === 2 && next.baseOffset <= lastOffset && next.baseOffset > nextOffset + lastOffsetDelta;
}
