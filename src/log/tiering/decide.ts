import type { Millis, Offset } from '../../model/ids.ts';
import { type Segment, sizeOfAll } from '../../ports/log-store.ts';
import type { RemoteObject } from '../../ports/remote-storage.ts';
import type { LogConfig } from '../config.ts';
import { type RemoteSegment, RemoteSegmentState } from './remote-segment.ts';

/** A segment to copy, and the attempt that was begun, if one was. */
export interface ToCopy {
  segment: Segment;
  begun: RemoteSegment | undefined;
}

/** What nobody names is let be for so long: another instance may be about to name it. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

function isOf({ baseOffset, nextOffset }: Segment): (remote: RemoteSegment) => boolean {
  return (remote) => remote.baseOffset === baseOffset && remote.nextOffset === nextOffset;
}

/** Closed segments of decided records that have no copy, oldest first. */
export function segmentsToCopy(
  segments: readonly Segment[],
  remote: readonly RemoteSegment[],
  lastStableOffset: Offset,
): ToCopy[] {
  const { copyStarted, copyFinished } = RemoteSegmentState;
  return segments.slice(0, -1).flatMap((segment) => {
    if (segment.nextOffset > lastStableOffset || segment.sizeBytes === 0) return [];
    const known = remote.filter(isOf(segment));
    if (known.some(({ state }) => state === copyFinished)) return [];
    return [{ segment, begun: known.find(({ state }) => state === copyStarted) }];
  });
}

/**
 * Copied segments whose rows may go, oldest first: `local.retention.bytes` and `local.retention.ms`, as `retention.*`
 * counts them. The newest that holds anything stays: a log is opened without asking remote storage.
 */
export function segmentsToLetGo(
  segments: readonly Segment[],
  remote: readonly RemoteSegment[],
  { config, nowMs }: { config: Pick<LogConfig, 'localRetentionMs' | 'localRetentionBytes'>; nowMs: Millis },
): RemoteSegment[] {
  const last = segments.findLastIndex(({ sizeBytes }) => sizeBytes > 0);
  const copyOf = (segment: Segment) =>
    remote.find((each) => each.state === RemoteSegmentState.copyFinished && isOf(segment)(each));
  const local = segments.filter((segment) => copyOf(segment)?.isLocal ?? true);
  let excessBytes = sizeOfAll(local) - config.localRetentionBytes;
  const found: RemoteSegment[] = [];
  for (const segment of segments.slice(0, Math.max(0, last))) {
    const copy = copyOf(segment);
    if (copy === undefined || !copy.isLocal) continue;
    const { maxTimestamp, sizeBytes } = segment;
    const isOld = maxTimestamp >= 0 && nowMs - maxTimestamp > config.localRetentionMs;
    if (!isOld && excessBytes < sizeBytes) break;
    excessBytes -= sizeBytes;
    found.push(copy);
  }
  return found;
}

/** Those whose objects go: readers elsewhere may believe in them for `file.delete.delay.ms`. */
export function segmentsToDelete(
  remote: readonly RemoteSegment[],
  { config, nowMs }: { config: Pick<LogConfig, 'fileDeleteDelayMs'>; nowMs: Millis },
): RemoteSegment[] {
  return remote.filter(
    ({ state, sinceMs }) =>
      state === RemoteSegmentState.deleteStarted && nowMs - sinceMs >= config.fileDeleteDelayMs,
  );
}

/** Objects that no segment has, such as a replaced instance leaves that was about to copy one. */
export function orphansOf(
  objects: readonly RemoteObject[],
  remote: readonly RemoteSegment[],
  nowMs: Millis,
): string[] {
  const known = new Set(remote.map(({ key }) => key));
  return objects
    .filter(({ key, uploadedMs }) => !known.has(key) && nowMs - uploadedMs >= ORPHAN_AGE_MS)
    .map(({ key }) => key);
}

/** How much a home holds before it asks producers to wait, and before it takes no more. */
export interface RoomBounds {
  throttleBytes: number;
  refuseBytes: number;
}

export type Room = 'enough' | 'throttled' | 'full';

export function roomOf(sizeBytes: number, { throttleBytes, refuseBytes }: RoomBounds): Room {
  if (sizeBytes >= refuseBytes) return 'full';
  return sizeBytes >= throttleBytes ? 'throttled' : 'enough';
}
