import { HEADER_SIZE, highHalf } from './batch-layout.ts';
import type { EncodeRecord } from './kernels.ts';
import type { WasmMemory } from './wasm-memory.ts';

/** int32 words a record and a header take in the descriptors: the layout is described in assembly/encode.ts. */
const RECORD_WORDS = 6;
const HEADER_WORDS = 2;
/** Most that a record adds to its payload: seven varints, one of them 10 bytes, and the attributes. */
const RECORD_OVERHEAD_MAX = 36;
/** Most that a header adds to its payload: two varints. */
const HEADER_OVERHEAD_MAX = 10;
/** Kernels copy 16 bytes at a time, so an area they copy from or to has this much after it. */
const SLACK = 16;
/** Where the areas of one encode call begin and end, in the kernels' memory. */
export interface EncodeAreas {
  descriptors: number;
  descriptorsEnd: number;
  arena: number;
  arenaEnd: number;
  out: number;
  outEnd: number;
}

/** Lays `records` out as descriptors and arena. @returns undefined when they do not fit the kernels' memory. */
export function layOut(memory: WasmMemory, records: readonly EncodeRecord[]): EncodeAreas | undefined {
  let payload = 0;
  let headerCount = 0;
  for (const { key, value, headers } of records) {
    if (key !== null) payload += key.length;
    if (value !== null) payload += value.length;
    headerCount += headers.length;
    for (const header of headers) payload += header.key.length + (header.value?.length ?? 0);
  }
  const descriptors = memory.base;
  const descriptorsEnd = descriptors + 4 * (RECORD_WORDS * records.length + HEADER_WORDS * headerCount);
  const arena = descriptorsEnd;
  const arenaEnd = arena + payload;
  const out = arenaEnd + SLACK;
  const overhead = RECORD_OVERHEAD_MAX * records.length + HEADER_OVERHEAD_MAX * headerCount;
  const outEnd = out + HEADER_SIZE + payload + overhead;
  if (!memory.reserve(outEnd + SLACK - memory.base)) return undefined;
  fill(memory.ints, descriptors / 4, memory.bytes, arena, records);
  return { descriptors, descriptorsEnd, arena, arenaEnd, out, outEnd };
}

function fill(
  ints: Int32Array,
  word: number,
  bytes: Uint8Array,
  at: number,
  records: readonly EncodeRecord[],
): void {
  for (const record of records) {
    const { timestampDelta, key, value, headers } = record;
    ints[word] = timestampDelta;
    ints[word + 1] = highHalf(timestampDelta);
    ints[word + 2] = record.offsetDelta;
    ints[word + 3] = key === null ? -1 : key.length;
    ints[word + 4] = value === null ? -1 : value.length;
    ints[word + 5] = headers.length;
    word += RECORD_WORDS;
    at = put(bytes, at, key);
    at = put(bytes, at, value);
    for (const header of headers) {
      ints[word] = header.key.length;
      ints[word + 1] = header.value === null ? -1 : header.value.length;
      word += HEADER_WORDS;
      at = put(bytes, put(bytes, at, header.key), header.value);
    }
  }
}

function put(bytes: Uint8Array, at: number, from: Uint8Array | null): number {
  if (from === null) return at;
  bytes.set(from, at);
  return at + from.length;
}
