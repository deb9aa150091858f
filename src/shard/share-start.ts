import type { PartitionLog } from '../log/partition-log.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { durationMs, NO_START_OFFSET, type StateBatch, type StoredState } from '../share/index.ts';

const BY_DURATION = 'by_duration:';

/** Where a group begins that has been nowhere, or where the log begins, if that has moved past its place. */
export async function shareStart(
  log: PartitionLog,
  state: { stateEpoch: number; startOffset: Offset; stateBatches: readonly StateBatch[] },
  reset: { autoOffsetReset: string; endOffset: Offset; nowMs: Millis },
): Promise<StoredState> {
  if (state.startOffset !== NO_START_OFFSET) return { ...state, isStored: true };
  return { ...state, startOffset: await startOf(log, reset), isStored: false };
}

async function startOf(
  log: PartitionLog,
  { autoOffsetReset, endOffset, nowMs }: { autoOffsetReset: string; endOffset: Offset; nowMs: Millis },
): Promise<Offset> {
  if (autoOffsetReset === 'earliest') return log.logStartOffset;
  const lastMs = autoOffsetReset.startsWith(BY_DURATION)
    ? durationMs(autoOffsetReset.slice(BY_DURATION.length))
    : undefined;
  if (lastMs === undefined) return endOffset;
  const { offset } = await log.offsetForTimestamp(Math.max(0, nowMs - lastMs), endOffset);
  return offset < 0 ? endOffset : offset;
}
