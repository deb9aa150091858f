import type { Millis, Offset } from '../model/ids.ts';
import { CLEANED_SUFFIX, segmentBase, segmentFile, swapBase, SWAP_SUFFIX } from './layout.ts';
import { openClosed, removeSegment, retireSegment } from './log-loader.ts';
import { LogSegment } from './log-segment.ts';
import type { StoreParts } from './parts.ts';
import { replay } from './scan.ts';

/*
 * How one segment takes the place of others, as Kafka does it. The directory is flushed at each line, so that a crash
 * leaves one of them:
 *
 *   A.log  B.log  A.log.cleaned    the new one is written and flushed: a start removes it
 *   A.log  B.log  A.log.swap       from here on a start goes on with it
 *                 A.log.swap       the old ones are gone: B first would leave a hole, which a start would close
 *   A.log
 *
 * Indexes follow the log file, or are made anew by a start that goes on.
 */

export interface Swap {
  directory: string;
  /** Whole and durable, under names of its own. */
  draft: LogSegment;
  /** What it stands for, ascending. */
  old: readonly LogSegment[];
  /** Where the last of these ended. */
  toOffset: Offset;
  fileDeleteDelayMs: Millis;
}

/** @returns the segment in its place. */
export async function swapIn(parts: StoreParts, swap: Swap): Promise<LogSegment> {
  const { files, disk } = parts;
  const { directory, draft, old, toOffset, fileDeleteDelayMs } = swap;
  const final = new LogSegment(directory, draft.baseOffset, parts);
  for (const path of draft.paths) await files.forget(path);
  await disk.rename(final.path + CLEANED_SUFFIX, final.path + SWAP_SUFFIX);
  await disk.flushDirectory(directory);
  for (const segment of old) await retireSegment(parts, segment, fileDeleteDelayMs);
  await disk.flushDirectory(directory);
  for (const { path } of [final.offsets, final.times]) await disk.rename(path + CLEANED_SUFFIX, path);
  await disk.rename(final.path + SWAP_SUFFIX, final.path);
  await disk.flushDirectory(directory);
  return openClosed(parts, final, toOffset);
}

/**
 * Goes on with what a crash has interrupted: whatever begins inside a segment that waits for its place was replaced by
 * it. One that begins behind its last batch may have been, too: it stays, with what was taken out of it.
 * @returns the names of all files that are there then.
 */
export async function finishSwaps(parts: StoreParts, directory: string): Promise<readonly string[]> {
  const { disk } = parts;
  const names = await disk.list(directory);
  let isChanged = false;
  for (const name of names) {
    const base = swapBase(name);
    if (base === undefined) continue;
    isChanged = true;
    const endOffset = await endOf(parts, directory, base);
    const bases = names.map(segmentBase).filter((other) => other !== undefined);
    for (const other of bases.filter((at) => at > base && at < endOffset))
      await removeSegment(parts, new LogSegment(directory, other, parts));
    await removeSegment(parts, new LogSegment(directory, base, parts));
    await disk.flushDirectory(directory);
    await disk.rename(`${directory}/${name}`, `${directory}/${segmentFile(base, 'log')}`);
    await disk.flushDirectory(directory);
  }
  return isChanged ? disk.list(directory) : names;
}

/** Follows its last batch. */
async function endOf(parts: StoreParts, directory: string, base: Offset): Promise<Offset> {
  const { files, kernels } = parts;
  const segment = new LogSegment(directory, base, parts, SWAP_SUFFIX);
  const endPosition = await files.use(segment.path, (file) => file.size());
  await replay(files, segment, { position: 0, endPosition, endOffset: Infinity, kernels, takesFalse: true });
  for (const path of segment.paths) await files.forget(path);
  return segment.nextOffset;
}
