import type { Offset } from '../model/ids.ts';
import type { StateBatch } from './records.ts';

/**
 * What is known of offsets, with news laid over it: sorted, disjoint, none below `startOffset`; neighbours that say the
 * same are one. What is below `startOffset` is done, whatever is said of it.
 */
export function mergeBatches(
  known: readonly StateBatch[],
  news: readonly StateBatch[],
  startOffset: Offset,
): StateBatch[] {
  let merged = [...known];
  for (const batch of news) merged = laidOver(merged, batch);
  return joined(merged, startOffset);
}

function laidOver(known: readonly StateBatch[], batch: StateBatch): StateBatch[] {
  const before: StateBatch[] = [];
  const after: StateBatch[] = [];
  for (const each of known) {
    if (each.firstOffset < batch.firstOffset)
      before.push({ ...each, lastOffset: Math.min(each.lastOffset, batch.firstOffset - 1) });
    if (each.lastOffset > batch.lastOffset)
      after.push({ ...each, firstOffset: Math.max(each.firstOffset, batch.lastOffset + 1) });
  }
  return [...before, batch, ...after];
}

function joined(batches: readonly StateBatch[], startOffset: Offset): StateBatch[] {
  const found: StateBatch[] = [];
  for (const each of batches) {
    if (each.lastOffset < startOffset) continue;
    const batch = { ...each, firstOffset: Math.max(each.firstOffset, startOffset) };
    const last = found.at(-1);
    const isSame =
      last?.lastOffset === batch.firstOffset - 1 &&
      last.deliveryState === batch.deliveryState &&
      last.deliveryCount === batch.deliveryCount;
    if (last !== undefined && isSame) last.lastOffset = batch.lastOffset;
    else found.push(batch);
  }
  return found;
}
