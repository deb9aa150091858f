import type { Offset } from '../model/ids.ts';
import type { OpenFile } from '../ports/files.ts';
import { flushFile } from './flush-file.ts';
import { DAMAGED_SUFFIX, DRAFT_SUFFIX } from './layout.ts';
import { INT32_MAX, LogSegment } from './log-segment.ts';
import { type WholeBatch, headerAt, nextWhole } from './next-whole.ts';
import type { StoreParts } from './parts.ts';
import { readAlike } from './read-alike.ts';

/** Where a segment stopped making sense. */
export interface Damage {
  segment: LogSegment;
  /** Start of the damaged batch; `segment` ends here, at `segment.nextOffset`, in memory. */
  position: number;
  /** End of the file: the same when nothing is wrong but that the next segment starts later. */
  endPosition: number;
  why: string;
  /** Where the next segment starts. */
  nextBase: Offset | undefined;
  /** Segments that follow hold batches. */
  isFollowed: boolean;
}

/** What is known of the log from elsewhere. */
export interface MendOptions {
  directory: string;
  title: string;
  /** Batches that reach it were never acknowledged. */
  endOffset: Offset;
  /** All below was flushed once: what is wrong there is no write that a crash tore. */
  flushedBelow: Offset;
}

/**
 * - `end`: the log ends here, once the segments that follow are gone and this one is `cut`; what they hold may have
 *   been acknowledged, or not (`keepsRest`).
 * - `gap`: some offsets are gone; the log goes on with `next`, split off, or with the segment that follows.
 */
export type Mended =
  | { type: 'end'; keepsRest: boolean }
  | { type: 'gap'; next: LogSegment | undefined; nextOffset: Offset };

/** No write tears finer than a sector: one that never came reads as zeros. */
const SECTOR_BYTES = 512;
/** What a batch begins with. */
const OFFSET_BYTES = 8;
const COPIED_BYTES = 1024 * 1024;

/**
 * Makes a log whole again whose segment holds what is no batch of it. Nothing that was acknowledged is thrown away:
 *
 * - Nothing whole follows: a torn tail, which was never acknowledged. It is cut (as Kafka does), and kept in a file
 *   beside it if it was flushed once.
 * - A write is missing (sectors of zeros, or the file is too short) and what follows may be of the same round of
 *   writes: the log must stay a prefix of what was written, so it ends here. What follows is kept in a file beside it.
 * - The bytes have changed since: they are kept in a file beside the log, and what follows is served after a gap, as
 *   compaction leaves one too.
 */
export async function mend(parts: StoreParts, damage: Damage, options: MendOptions): Promise<Mended> {
  const { segment, position, endPosition, why, isFollowed } = damage;
  const { endOffset, flushedBelow, directory, title } = options;
  const { nextOffset: fromOffset, path } = segment;
  const { kernels } = parts;
  const limit = Math.min(endOffset, segment.baseOffset + INT32_MAX + 1);
  const search = { damagedAt: position, endPosition, fromOffset, endOffset: limit, kernels };
  const { whole, lacks } = await parts.files.use(path, async (file) => {
    const found = await nextWhole(file, search);
    const end = found ? writtenUpTo(found.position) : endPosition;
    const lacksEnd = !found && !(await endsWithFile(file, damage));
    const lacksPart = lacksEnd || (await lacksRestOfSector(file, damage, end));
    return { whole: found, lacks: lacksPart || (await hasZeroSector(file, position, end)) };
  });
  const wasFlushed = fromOffset < flushedBelow;
  const isLast = fromOffset >= endOffset || (!whole && !isFollowed);
  const ends = isLast || (lacks && !wasFlushed);
  const isMissing = position === endPosition;
  const aside = damagedFile(segment, position, ends ? 'cut' : 'gap');
  const isWorthless = isLast && !wasFlushed;
  if (!isWorthless && !isMissing) {
    const asideEnd = ends || !whole ? endPosition : whole.position;
    await copyRange(parts, { from: path, position, endPosition: asideEnd, to: aside });
  }
  if (ends) {
    const more = isWorthless ? '' : `; some of it may have been acknowledged: it is kept in ${aside}`;
    const bytes = `${endPosition - position} bytes at offset ${fromOffset} of ${path}`;
    const what = isMissing ? `ends at offset ${fromOffset}: ${why}` : `cut ${bytes}: ${why}${more}`;
    parts.warn(`${title}: ${what}`);
    return { type: 'end', keepsRest: !isWorthless };
  }
  const gap = await leaveGap(parts, damage, { whole, directory });
  const offsets = `offsets ${fromOffset} to ${gap.nextOffset - 1}`;
  const what = isMissing ? why : `${offsets} are damaged in ${path} (${why}): they are kept in ${aside}`;
  parts.warn(`${title}: ${what}, what follows is served`);
  return gap;
}

/** Where what is damaged from `position` on is kept: what the log goes on behind, or else what it once ended with. */
export function damagedFile({ path }: LogSegment, position: number, left: 'gap' | 'cut'): string {
  const suffix = left === 'cut' ? `.cut${DAMAGED_SUFFIX}` : DAMAGED_SUFFIX;
  return `${path.slice(0, -'.log'.length)}.${position}${suffix}`;
}

/** A segment that follows a torn one leaves the log, and is kept. */
export async function putAside({ files, disk, warn }: StoreParts, segment: LogSegment): Promise<void> {
  const aside = damagedFile(segment, 0, 'cut');
  warn(`${segment.path} follows what was cut: it is kept as ${aside}`);
  for (const path of segment.paths) await files.forget(path);
  await disk.rename(segment.path, aside);
  await disk.remove(segment.offsets.path);
  await disk.remove(segment.times.path);
}

/** Ends a segment's file where its batches end. */
export async function cut(
  parts: StoreParts,
  { segment, position }: Pick<Damage, 'segment' | 'position'>,
): Promise<void> {
  await parts.files.use(segment.path, (file) => file.truncate(position));
  await flushFile(parts, segment.path);
}

/**
 * Splits the segment where batches are whole again. The new file is there before the old one ends, and a start that
 * finds both takes the new one: no crash loses what follows.
 */
async function leaveGap(
  parts: StoreParts,
  damage: Damage,
  { whole, directory }: { whole: WholeBatch | undefined; directory: string },
): Promise<Mended & { type: 'gap' }> {
  const { segment, nextBase, endPosition } = damage;
  const nextOffset = Math.min(whole?.baseOffset ?? Infinity, nextBase ?? Infinity);
  let next: LogSegment | undefined;
  if (whole && nextOffset !== nextBase) {
    next = new LogSegment(directory, nextOffset, parts);
    const range = { from: segment.path, position: whole.position, endPosition, to: next.path };
    await copyRange(parts, range);
  }
  await cut(parts, damage);
  segment.close(nextOffset);
  return { type: 'gap', next, nextOffset };
}

/** Copies a part of a file into a new one, which is there whole or not at all. */
async function copyRange(
  { files, disk }: StoreParts,
  { from, position, endPosition, to }: { from: string; position: number; endPosition: number; to: string },
): Promise<void> {
  const draft = await disk.open(to + DRAFT_SUFFIX, { create: true });
  try {
    await draft.truncate(0);
    for (let at = position; at < endPosition; at += COPIED_BYTES) {
      const start = at;
      const sizeBytes = Math.min(COPIED_BYTES, endPosition - at);
      const bytes = await files.use(from, (file) => readAlike(file, start, sizeBytes));
      await draft.write(at - position, [bytes]);
    }
    await draft.flush();
  } finally {
    await draft.close();
  }
  await disk.rename(to + DRAFT_SUFFIX, to);
  await disk.flushDirectory(to.slice(0, to.lastIndexOf('/')));
}

/** Whether the file has all that its last batch says it has. */
async function endsWithFile(file: OpenFile, { position, endPosition }: Damage): Promise<boolean> {
  const last = await headerAt(file, position, endPosition);
  return last !== undefined && position + last.sizeBytes === endPosition;
}

/** A batch begins with zeros: where its sector ends in them it seems whole, whether that was written or not. */
function writtenUpTo(position: number): number {
  const sectorEnd = Math.ceil(position / SECTOR_BYTES) * SECTOR_BYTES;
  return sectorEnd - position < OFFSET_BYTES ? sectorEnd : position;
}

/** Whether the sector is as it was before the batch at `position` was written: its offset would not be zeros. */
async function lacksRestOfSector(
  file: OpenFile,
  { segment, position }: Damage,
  endPosition: number,
): Promise<boolean> {
  const sectorEnd = Math.ceil(position / SECTOR_BYTES) * SECTOR_BYTES;
  // What is whole in that sector was written with it, or later.
  if (endPosition < sectorEnd) return false;
  const rest = await readAlike(file, position, sectorEnd - position);
  const offset = new Uint8Array(OFFSET_BYTES);
  new DataView(offset.buffer).setBigInt64(0, BigInt(segment.nextOffset));
  return rest.every((byte) => byte === 0) && offset.subarray(0, rest.length).some((byte) => byte !== 0);
}

/**
 * Whether a sector that holds nothing else is nothing but zeros. In the last one a whole batch begins: it is as that
 * was written.
 */
async function hasZeroSector(file: OpenFile, position: number, endPosition: number): Promise<boolean> {
  const start = Math.ceil(position / SECTOR_BYTES) * SECTOR_BYTES;
  for (let from = start; from + SECTOR_BYTES <= endPosition; from += COPIED_BYTES) {
    const bytes = await readAlike(file, from, Math.min(COPIED_BYTES, endPosition - from));
    for (let at = 0; at + SECTOR_BYTES <= bytes.length; at += SECTOR_BYTES)
      if (bytes.subarray(at, at + SECTOR_BYTES).every((byte) => byte === 0)) return true;
  }
  return false;
}
