const TWO_TO_32 = 0x1_0000_0000;

/** Reads the entries where they lie: making a view of them would cost as much as the search. */
export function indexFloor(entries: Uint8Array, entrySize: 8 | 12, target: number): number {
  let below = 0;
  let above = Math.floor(entries.length / entrySize);
  while (below < above) {
    const middle = (below + above) >>> 1;
    const at = middle * entrySize;
    const high = int32(entries, at);
    const key = entrySize === 8 ? high : high * TWO_TO_32 + (int32(entries, at + 4) >>> 0);
    if (key <= target) below = middle + 1;
    else above = middle;
  }
  return below - 1;
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
