import { at } from './assert.ts';
import type { Offset } from './ids.ts';

/**
 * Number, from `start` on, of the first of `items` whose last offset is at or above `offset`: the one that holds it, or
 * the next. Their length when there is none. The items are in order of offsets.
 */
export function firstReaching(
  items: readonly { readonly lastOffset: Offset }[],
  offset: Offset,
  start = 0,
): number {
  let low = start;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(items, middle).lastOffset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
