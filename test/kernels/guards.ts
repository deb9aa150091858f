import { expect } from 'vitest';
import { module } from './instances.ts';

/** The raw module, called without the care that `WasmKernels` takes: what it does to memory that is not its own. */
export interface Raw {
  memory: WebAssembly.Memory;
  heapBase(): number;
  crc32cSpent(crc: number, at: number, length: number): number;
  validateBatch(batch: number, length: number): number;
  validateBatches(batches: number, length: number): number;
  indexBatch(batch: number, length: number, rows: number): number;
  indexRecords(records: number, length: number, count: number, rows: number): number;
  encodeBatch(...areas: number[]): number;
  encodeRecords(...areas: number[]): number;
  packLz4Blocks(from: number, length: number, out: number): number;
  unpackLz4Block(at: number, end: number, floor: number, out: number, outEnd: number): number;
  packSnappy(from: number, length: number, out: number): number;
  unpackSnappy(at: number, end: number, out: number, outEnd: number): number;
  xxh32(at: number, length: number): number;
}

export const raw = new WebAssembly.Instance(module).exports as unknown as Raw;
export const memory = new Uint8Array(raw.memory.buffer);
export const base = raw.heapBase();
/** Between the tables and the heap base lies the kernels' scratch: see assembly/layout.ts. */
export const TABLES_END = 21_776;
/** What an area has after its end, for moves of 16 bytes. */
export const SLACK = 16;
/** Between areas, so that what runs over one is seen before it reaches the next. */
export const GAP = 64;

/** Fills memory with `guard`, puts `parts` at their places, calls, and proves nothing but `areas` has changed. */
function guarded<T>(
  guard: number,
  parts: Map<number, Uint8Array>,
  areas: [number, number][],
  call: () => T,
): T {
  memory.fill(guard, base);
  for (const [at, bytes] of parts) memory.set(bytes, at);
  const before = memory.slice();
  const result = call();
  const after = memory.slice();
  after.set(before.subarray(TABLES_END, base), TABLES_END);
  for (const [from, to] of areas) after.set(before.subarray(from, to), from);
  expect(Buffer.compare(before, after)).toBe(0);
  return result;
}

/** A result may not depend on what lies around an area: so nothing was read there. */
export function blind<T>(parts: Map<number, Uint8Array>, areas: [number, number][], call: () => T): T {
  const [first, ...others] = [0x00, 0x01, 0xff].map((guard) => guarded(guard, parts, areas, call));
  for (const other of others) expect(other).toEqual(first);
  return first!;
}
