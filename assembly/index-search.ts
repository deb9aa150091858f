/**
 * Number of the greatest entry whose key is <= `target`, -1 when all are greater: entries of 8 bytes with an int32 key,
 * or of 12 with an int64 key, big-endian, ascending. Keys are compared as numbers, so an int64 is rounded as in
 * TypeScript.
 */
export function indexFloor(entries: usize, count: i32, entrySize: i32, target: f64): i32 {
  let below = 0;
  let above = count;
  while (below < above) {
    const middle = (below + above) >>> 1;
    const entry = entries + <usize>(middle * entrySize);
    const key = entrySize == 8 ? <f64>bswap(load<i32>(entry)) : <f64>bswap(load<i64>(entry));
    if (key <= target) below = middle + 1;
    else above = middle;
  }
  return below - 1;
}
