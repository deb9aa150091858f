import type { Millis, Offset } from '../model/ids.ts';
import { BatchHeader, HEADER_SIZE } from '../records/header.ts';
import { flushFile } from './flush-file.ts';
import { isLeftBehind, segmentBase } from './layout.ts';
import { eachLimited } from './limited.ts';
import { LogSegment } from './log-segment.ts';
import { type Damage, cut, damagedFile, mend, putAside } from './mend.ts';
import type { StoreParts } from './parts.ts';
import { readAlike } from './read-alike.ts';
import { replay } from './scan.ts';
import { Unchecked } from './unchecked.ts';

/** What is known of a log before it is read, and so how much of it must be checked. */
export interface Check {
  /** From here on checksums are checked; undefined after a clean shutdown. */
  recoveryPoint: Offset | undefined;
  /** Batches that reach it go: they were never acknowledged, and a failed flush may not have kept them. */
  endOffset: Offset;
  /** All below was flushed: damage there is no torn write. */
  flushedBelow: Offset;
  /**
   * A segment that reaches beyond it goes on where the one before it ended: nobody has cleaned there. Whatever leaves
   * gaps at the end of a segment (compaction) must do so below the recovery point.
   */
  cleanedBelow: Offset;
}

/** All of it was closed by its last owner. */
export const NO_CHECK: Check = {
  recoveryPoint: undefined,
  endOffset: Infinity,
  flushedBelow: Infinity,
  cleanedBelow: Infinity,
};

export interface LoadOptions extends Check {
  directory: string;
  /** What to call the log in a warning. */
  title: string;
  /** All files of the log. */
  names: readonly string[];
  /** Where an empty log starts. */
  startOffset: Offset;
}

/** What a segment is on disk, before anything is believed. */
interface Found {
  segment: LogSegment;
  nextBase: Offset | undefined;
}

/** Where and why a segment's batches end too early. */
type Fault = Pick<Damage, 'position' | 'endPosition' | 'why'>;

const SEGMENTS_AT_ONCE = 16;
const REWRITE_BYTES = 1024 * 1024;

/**
 * The segments of a log, ascending, at least one. After a crash those from the recovery point on are checked batch
 * by batch, and mended where one is torn or false (see `mend`).
 */
export async function loadSegments(parts: StoreParts, options: LoadOptions): Promise<LogSegment[]> {
  const { disk } = parts;
  const { directory, names, startOffset } = options;
  for (const name of names.filter(isLeftBehind)) await disk.remove(`${directory}/${name}`);
  const bases = names.map(segmentBase).filter((base) => base !== undefined);
  bases.sort((a, b) => a - b);
  if (bases.length === 0) return [await createSegment(parts, directory, startOffset)];

  const found = bases.map((base, number): Found => {
    return { segment: new LogSegment(directory, base, parts), nextBase: bases[number + 1] };
  });
  const isDoubtful = ({ segment, nextBase }: Found) =>
    mustCheck(nextBase, options.recoveryPoint) || parts.suspects.has(segment.path);
  const sound = found.slice(0, found.findIndex(isDoubtful));
  const doubtful = found.slice(sound.length);
  await eachLimited(sound, SEGMENTS_AT_ONCE, (one) => loadClosed(parts, one));
  const kept = sound.map(({ segment }) => segment);
  for (let one = doubtful.shift(); one; one = doubtful.shift()) {
    kept.push(one.segment);
    const { path, baseOffset } = one.segment;
    // What a failed flush has left behind may be in the indexes, too: they are made anew.
    const recoveryPoint = parts.suspects.has(path) ? baseOffset : options.recoveryPoint;
    const fault = await loadDoubtful(parts, one, { ...options, recoveryPoint });
    if (fault === undefined) continue;
    const isFollowed = await holdBatches(parts, doubtful);
    const mended = await mend(parts, { ...one, ...fault, isFollowed }, options);
    if (mended.type === 'gap') {
      await settle(parts, one.segment);
      if (mended.next) doubtful.unshift({ segment: mended.next, nextBase: one.nextBase });
      continue;
    }
    // The last first, and the damage itself at the end: no crash leaves a log with a hole that nobody sees.
    const letGo = mended.keepsRest ? putAside : removeSegment;
    for (const { segment } of doubtful.splice(0).toReversed()) await letGo(parts, segment);
    await disk.flushDirectory(directory);
    await cut(parts, { ...one, ...fault });
    await settle(parts, one.segment);
  }
  // Whoever made these files may have died, or failed, before their names were durable.
  if (options.recoveryPoint !== undefined) await disk.flushDirectory(directory);
  return kept;
}

async function holdBatches(parts: StoreParts, segments: readonly Found[]): Promise<boolean> {
  for (const { segment } of segments) if ((await lookAt(parts, segment)).sizeBytes > 0) return true;
  return false;
}

/** What is known of a segment now is what its files say. */
async function settle(parts: StoreParts, segment: LogSegment): Promise<void> {
  await segment.times.write();
  await segment.times.flush();
  await segment.offsets.write();
  await writeAgain(parts, segment);
  await flushSegment(parts, segment);
}

/** An empty segment, its file made and durable. */
export async function createSegment(
  parts: StoreParts,
  directory: string,
  baseOffset: Offset,
): Promise<LogSegment> {
  const segment = new LogSegment(directory, baseOffset, parts);
  await parts.files.use(segment.path, async () => {}, true);
  await parts.disk.flushDirectory(directory);
  return segment;
}

export function removeSegment(parts: StoreParts, segment: LogSegment): Promise<void> {
  return retireSegment(parts, segment, 0);
}

/** Takes its files out of the log; they are there for another `fileDeleteDelayMs`. */
export async function retireSegment(
  { files, suspects, retired }: StoreParts,
  segment: LogSegment,
  fileDeleteDelayMs: Millis,
): Promise<void> {
  suspects.delete(segment.path);
  for (const path of segment.paths) {
    await files.forget(path);
    await retired.retire(path, fileDeleteDelayMs);
  }
}

/** The same segment with new indexes, made from its batches and written. What is damaged is not read any more. */
export async function rebuildIndexes(parts: StoreParts, old: LogSegment): Promise<LogSegment> {
  const directory = old.path.slice(0, old.path.lastIndexOf('/'));
  const segment = new LogSegment(directory, old.baseOffset, parts);
  segment.unchecked = old.unchecked;
  const { fault, endPosition } = await replay(parts.files, segment, {
    position: 0,
    endPosition: old.sizeBytes,
    endOffset: Infinity,
    kernels: parts.kernels,
    takesFalse: true,
  });
  if (fault !== undefined) parts.warn(`${old.path} cannot be read beyond byte ${endPosition}: ${fault}`);
  segment.close(old.nextOffset);
  await writeIndexes(segment);
  // Below the recovery point nobody looks at them again.
  await flushSegment(parts, segment);
  return segment;
}

/** Times first: who finds an entry for an offset takes it that all times up to there are in the other file. */
export async function writeIndexes({ offsets, times }: LogSegment): Promise<void> {
  await times.write();
  await offsets.write();
}

/** Makes a segment durable, indexes included. A suspect is not believed before it has been written anew. */
export async function flushSegment(parts: StoreParts, segment: LogSegment): Promise<void> {
  const { offsets, times, path } = segment;
  if (parts.suspects.has(path)) throw new Error(`${path} is not durable: an earlier flush of it failed`);
  try {
    await Promise.all([flushFile(parts, path), offsets.flush(), times.flush()]);
  } catch (error) {
    parts.suspects.add(path);
    throw error;
  }
}

/** For a log that is being loaded, before its segments are flushed: a file that is suspected is written again. */
async function writeAgain({ files, suspects }: StoreParts, { path }: LogSegment): Promise<void> {
  if (!suspects.has(path)) return;
  await files.use(path, async (file) => {
    const sizeBytes = await file.size();
    for (let position = 0; position < sizeBytes; position += REWRITE_BYTES) {
      const bytes = await readAlike(file, position, Math.min(REWRITE_BYTES, sizeBytes - position));
      await file.write(position, [bytes]);
    }
  });
  suspects.delete(path);
}

/** The active segment always: its end is not written anywhere else. */
function mustCheck(nextBase: Offset | undefined, recoveryPoint: Offset | undefined): boolean {
  return nextBase === undefined || (recoveryPoint !== undefined && nextBase > recoveryPoint);
}

/** Takes what is durably on disk for a closed segment that ends at `nextOffset`. */
export async function openClosed(
  parts: StoreParts,
  segment: LogSegment,
  nextOffset: Offset,
): Promise<LogSegment> {
  const found: Found = { segment, nextBase: nextOffset };
  await loadClosed(parts, found);
  return found.segment;
}

async function loadClosed(parts: StoreParts, found: Found): Promise<void> {
  const { segment, nextBase = 0 } = found;
  const { sizeBytes, firstTimestamp } = await lookAt(parts, segment);
  const adopted = await adoptIndexes(segment, sizeBytes);
  segment.rewind({ position: sizeBytes, nextOffset: nextBase, firstTimestamp });
  segment.unchecked = Unchecked.all(sizeBytes);
  // Compaction leaves no times where it leaves no batches.
  const isTimed = segment.times.count > 0;
  const isEmpty = sizeBytes === 0;
  if (isEmpty && isTimed) parts.warn(emptied(segment, nextBase));
  if (adopted && isEmpty !== isTimed) return;
  found.segment = await rebuildIndexes(parts, segment);
}

function emptied({ path, baseOffset }: LogSegment, nextBase: Offset): string {
  return `${path} is empty: offsets ${baseOffset} to ${nextBase - 1} are missing, what follows is served`;
}

/** @returns undefined when its batches end where its file does, and the next segment starts. */
async function loadDoubtful(parts: StoreParts, one: Found, check: LoadOptions): Promise<Fault | undefined> {
  const { segment, nextBase } = one;
  const { recoveryPoint, endOffset } = check;
  const { sizeBytes, firstTimestamp } = await lookAt(parts, segment);
  const position = await lastIndexed(segment, sizeBytes, recoveryPoint);
  segment.rewind({ position, nextOffset: segment.baseOffset, firstTimestamp });
  const end = await replay(parts.files, segment, {
    position,
    endPosition: sizeBytes,
    endOffset: Math.min(endOffset, nextBase ?? Infinity),
    kernels: parts.kernels,
    takesFalse: recoveryPoint === undefined,
  });
  // What is right now may be read wrong by who reads it next.
  segment.unchecked = Unchecked.all(end.endPosition);
  if (end.fault !== undefined) {
    // The index may point at no batch, or a length that is wrong lead to a fault behind it: only checksums tell.
    const isMisled = position > 0 && end.endPosition === position;
    if (isMisled || recoveryPoint === undefined)
      return loadDoubtful(parts, one, { ...check, recoveryPoint: segment.baseOffset });
    return { position: end.endPosition, endPosition: sizeBytes, why: end.fault };
  }
  const lost = lostEnd(one, check);
  if (lost) return lost;
  if (nextBase !== undefined) segment.close(nextBase);
  // Indexes made anew may lie below the recovery point, where they are believed.
  const isNew = segment.offsets.count > 0 && !segment.offsets.isSettled;
  if (recoveryPoint !== undefined || isNew) await settle(parts, segment);
  return undefined;
}

/**
 * A power cut may take the end of a file and leave what was written to the next one later. A gap that was left on
 * purpose has a file of what was there (see `mend`), and one below the log start does not matter.
 */
function lostEnd({ segment, nextBase = 0 }: Found, check: LoadOptions): Fault | undefined {
  const { nextOffset, sizeBytes, path } = segment;
  if (nextOffset >= nextBase || nextBase <= Math.max(check.startOffset, check.cleanedBelow)) return undefined;
  const aside = damagedFile(segment, sizeBytes, 'gap');
  if (check.names.some((name) => aside === `${check.directory}/${name}`)) return undefined;
  const why = `offsets ${nextOffset} to ${nextBase - 1} are missing in ${path}`;
  return { position: sizeBytes, endPosition: sizeBytes, why };
}

/** Position of the last batch an index entry can be believed about; the entries after it go. */
async function lastIndexed(
  segment: LogSegment,
  sizeBytes: number,
  recoveryPoint: Offset | undefined,
): Promise<number> {
  const { offsets, times, baseOffset } = segment;
  const adopted = await adoptIndexes(segment, sizeBytes);
  const offsetView = adopted ? await offsets.view() : undefined;
  const timeView = adopted ? await times.view() : undefined;
  if (!offsetView || !timeView) {
    offsets.clear();
    times.clear();
    return 0;
  }
  const floor = offsetView.floor((recoveryPoint ?? Number.MAX_SAFE_INTEGER) - 1 - baseOffset);
  const last = floor < 0 ? undefined : offsetView.at(floor);
  offsets.keep(offsetView, floor + 1);
  times.keep(timeView, timeView.floorByValue(last?.key ?? -1) + 1);
  return last?.value ?? 0;
}

async function adoptIndexes({ offsets, times }: LogSegment, sizeBytes: number): Promise<boolean> {
  const hasOffsets = await offsets.adopt(({ key, value }) => key >= 0 && value >= 0 && value < sizeBytes);
  const hasTimes = await times.adopt(({ key, value }) => key >= 0 && value >= 0);
  return hasOffsets && hasTimes;
}

async function lookAt(
  { files }: StoreParts,
  segment: LogSegment,
): Promise<{ sizeBytes: number; firstTimestamp: number }> {
  return files.use(segment.path, async (file) => {
    const bytes = new Uint8Array(HEADER_SIZE);
    const sizeBytes = await file.size();
    const filled = await file.read(0, bytes);
    const firstTimestamp = filled < HEADER_SIZE ? -1 : new BatchHeader(bytes).maxTimestamp;
    return { sizeBytes, firstTimestamp };
  });
}
