import { at } from '../model/assert.ts';
import { CLUSTER_METADATA_TOPIC, type Offset } from '../model/ids.ts';
import type { LogName } from '../ports/log-store.ts';
import { AbortedIndex } from './aborted-index.ts';
import { LOG_STARTS, logDirectory } from './layout.ts';
import { type Check, createSegment, loadSegments } from './log-loader.ts';
import type { LogSegment } from './log-segment.ts';
import type { StoreParts } from './parts.ts';
import { finishSwaps } from './swap.ts';

interface OpenedLog {
  segments: LogSegment[];
  aborted: AbortedIndex;
  startOffset: Offset;
  /** Of the log's extent. */
  abortedMissingFrom: Offset | undefined;
}

/** Reads a log's segments, and brings what is kept of all logs together in line with them. */
export async function openLog(parts: StoreParts, name: LogName, check: Check): Promise<OpenedLog> {
  const { recoveryPoints, logStarts } = parts;
  const title = logDirectory(name);
  const directory = `${parts.root}/${title}`;
  const startOffset = logStarts.get(name.log) ?? 0;
  const names = await finishSwaps(parts, directory);
  const segments = await loadSegments(parts, { directory, title, names, startOffset, ...check });
  await agreeOnStart(parts, name, segments, check);
  const endOffset = at(segments, segments.length - 1).nextOffset;
  const flushedEnd = recoveryPoints.get(name.log) ?? 0;
  if (endOffset < flushedEnd) {
    missesFlushed(parts, name, endOffset, flushedEnd);
    recoveryPoints.set(name, endOffset);
    // A point above the end would keep later batches from being checked.
    await recoveryPoints.save();
  } else if (check.recoveryPoint !== undefined && endOffset > flushedEnd) {
    recoveryPoints.set(name, endOffset);
    parts.background(recoveryPoints.save());
  }
  const aborted = new AbortedIndex(parts, directory);
  const isDurable = check.recoveryPoint === undefined;
  const abortedMissingFrom = await aborted.load(names, { segments, endOffset, isDurable });
  return { segments, aborted, abortedMissingFrom, startOffset: logStarts.get(name.log) ?? 0 };
}

/** @throws for the metadata log: a node that has forgotten its topics would give their names to new ones. */
function missesFlushed(parts: StoreParts, name: LogName, endOffset: Offset, flushedEnd: Offset): void {
  const what = `ends at offset ${endOffset}, but all below ${flushedEnd} was flushed once`;
  const directory = logDirectory(name);
  if (name.topic !== CLUSTER_METADATA_TOPIC) return parts.warn(`${directory}: ${what}`);
  throw new Error(`it ${what}: restore ${parts.root}/${directory} from a copy`);
}

/**
 * A start beyond the end is right when what was trimmed was never flushed: the log goes on there. If it was, the end
 * is lost or the start is false, and must not hide what comes next.
 */
async function agreeOnStart(
  parts: StoreParts,
  name: LogName,
  segments: LogSegment[],
  { recoveryPoint }: Check,
): Promise<void> {
  const { flushes, logStarts, root } = parts;
  const startOffset = logStarts.get(name.log) ?? 0;
  const last = at(segments, segments.length - 1);
  if (startOffset <= last.nextOffset) return;
  const directory = logDirectory(name);
  if (!flushes && recoveryPoint !== undefined) {
    segments.push(await createSegment(parts, `${root}/${directory}`, startOffset));
    last.nextOffset = startOffset;
    return;
  }
  const where = `its start in ${LOG_STARTS} (${startOffset})`;
  parts.warn(`${directory}: ends at offset ${last.nextOffset}, before ${where}: not believed`);
  logStarts.delete(name);
  await logStarts.save();
}
