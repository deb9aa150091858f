const TWO_TO_32 = 0x1_0000_0000;

export function indexFloor(entries: Uint8Array, entrySize: 8 | 12, target: number): number {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  let below = 0;
  let above = Math.floor(entries.length / entrySize);
  while (below < above) {
    const middle = (below + above) >>> 1;
    const at = middle * entrySize;
    const high = view.getInt32(at);
    const key = entrySize === 8 ? high : high * TWO_TO_32 + view.getUint32(at + 4);
    if (key <= target) below = middle + 1;
    else above = middle;
  }
  return below - 1;
}
