/**
 * Lists of int32: replicas, in-sync replicas, partitions. A large Metadata answer has a hundred thousand of them
 * and few that differ, so equal short ones are one frozen list: less to allocate, and to keep.
 */
const NONE: readonly number[] = Object.freeze([]);
const SHARED_MAX = 8;
const SLOTS = 256;
const shared = Array.from({ length: SLOTS }, () => NONE);

/** The `count` numbers at `at`, which are there. */
export function listOfInt32(view: DataView, at: number, count: number): readonly number[] {
  if (count === 0) return NONE;
  if (count > SHARED_MAX) return readList(view, at, count);
  const slot = (31 * view.getInt32(at) + view.getInt32(at + 4 * (count - 1)) + count) & (SLOTS - 1);
  const known = shared[slot] as readonly number[];
  if (isList(known, view, at, count)) return known;
  return (shared[slot] = Object.freeze(readList(view, at, count)));
}

function readList(view: DataView, at: number, count: number): number[] {
  const list = Array<number>(count);
  for (let i = 0; i < count; i++) list[i] = view.getInt32(at + 4 * i);
  return list;
}

function isList(list: readonly number[], view: DataView, at: number, count: number): boolean {
  if (list.length !== count) return false;
  for (let i = 0; i < count; i++) if (list[i] !== view.getInt32(at + 4 * i)) return false;
  return true;
}
