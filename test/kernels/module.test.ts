import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEADER_SIZE } from '../../src/kernels/batch-layout.ts';
import { BatchFault } from '../../src/kernels/kernels.ts';
import { damaged, looseRecords, payload } from './generate.ts';
import { base, blind, GAP, memory, raw, type Raw, SLACK } from './guards.ts';
import { module, twin } from './instances.ts';

const length = fc.integer({ min: -1, max: 6 });
/** What a header has is written, or it points at what was: so many bytes before. */
const back = fc.oneof(fc.constant(0), fc.nat(9));
const oneHeader = fc.record({ key: length, keyBack: back, value: length, valueBack: back });
const oneRecord = fc.record({
  timestamp: fc.tuple(fc.integer(), fc.integer()),
  offsetDelta: fc.integer(),
  key: length,
  value: length,
  headers: fc.array(oneHeader, { maxLength: 2 }),
});
const lie = fc.record({ at: fc.nat(30), by: fc.oneof(fc.constantFrom(-1, 1), fc.integer()) });
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
/** Descriptors as assembly/encode.ts reads them; now and then with a word, or the count, that lies. */
const descriptors = fc
  .tuple(fc.array(oneRecord, { maxLength: 4 }), seldom(lie), seldom(fc.integer()))
  .map(([list, wrong, count]) => {
    const words = wordsOf(list);
    if (wrong && wrong.at < words.length) words[wrong.at]! += wrong.by;
    return { words, count: count ?? list.length };
  });

function wordsOf(list: readonly (typeof oneRecord extends fc.Arbitrary<infer R> ? R : never)[]): number[] {
  let at = 0;
  const take = (size: number) => (at += Math.max(size, 0));
  return list.flatMap(({ timestamp, offsetDelta, key, value, headers }) => {
    take(key);
    take(value);
    const place = (size: number, before: number) => {
      const position = Math.max(0, at - before);
      if (position === at) take(size);
      return [position, size];
    };
    const ofHeaders = headers.flatMap((header) => [
      ...place(header.key, header.keyBack),
      ...place(header.value, header.valueBack),
    ]);
    return [...timestamp, offsetDelta, key, value, headers.length, ...ofHeaders];
  });
}

/** Kernels ship with every page: the bars of `npm run bench`, too. */
test('the module is small: 24 KB at most, 9 KB compressed', () => {
  const file = readFileSync(new URL('../../build/kernels.wasm', import.meta.url));
  expect(file.length).toBeLessThanOrEqual(24 * 1024);
  expect(gzipSync(file, { level: 9 }).length).toBeLessThanOrEqual(9 * 1024);
});

test('the module imports nothing', () => {
  expect(WebAssembly.Module.imports(module)).toEqual([]);
});

test('memory starts at 320 KiB, room for a checksum of 256 KiB, and cannot pass 9 MiB', () => {
  const { memory: fresh } = new WebAssembly.Instance(module).exports as unknown as Raw;
  expect(fresh.buffer.byteLength).toBe(327_680);
  expect(fresh.buffer.byteLength - base).toBeGreaterThanOrEqual(262_144);
  fresh.grow(139);
  expect(fresh.buffer.byteLength).toBe(9 * 1024 * 1024);
  expect(() => fresh.grow(1)).toThrow(RangeError);
});

/** What the memory has room for beside its rows: 32 bytes for each 7, which no record is shorter than. */
const WITH_ROWS_MAX = Math.floor((memory.length - base - 64) / (1 + 32 / 7));

describe('kernels stay inside their areas', () => {
  test('what looks at a checksum spends its bytes, and writes nothing else but rows', () => {
    fc.assert(
      fc.property(damaged(payload), fc.nat(16), (all, offset) => {
        const bytes = all.subarray(0, WITH_ROWS_MAX);
        const at = base + offset;
        const parts = new Map([[at, bytes]]);
        const spent: [number, number] = [at, at + bytes.length];
        expect(blind(parts, [spent], () => raw.validateBatch(at, bytes.length))).toBe(
          twin.validateBatch(bytes),
        );
        const { end, fault } = twin.validateBatches(bytes);
        expect(blind(parts, [spent], () => raw.validateBatches(at, bytes.length))).toBe((end << 3) - fault);
        const rows = (at + bytes.length + 3) & ~3;
        const index = () => raw.indexBatch(at, bytes.length, rows);
        expect(blind(parts, [spent, [rows, rows + 32 * Math.floor(bytes.length / 7)]], index)).toBe(
          twin.validateBatch(bytes),
        );
        expect(blind(parts, [spent], () => raw.crc32cSpent(0, at, bytes.length) >>> 0)).toBe(
          twin.crc32c(bytes),
        );
      }),
    );
  });

  test('indexRecords, which writes rows', () => {
    const block = looseRecords.map((list) => twin.encodeRecords(list));
    fc.assert(
      fc.property(damaged(block), fc.nat(14), fc.nat(16), (bytes, count, offset) => {
        const at = base + offset;
        const rows = (at + bytes.length + 3) & ~3;
        const call = () => raw.indexRecords(at, bytes.length, count, rows);
        const expected = twin.indexRecords(bytes, count);
        const fault = blind(new Map([[at, bytes]]), [[rows, rows + 32 * count]], call);
        expect(fault).toBe(typeof expected === 'number' ? expected : BatchFault.none);
      }),
    );
  });

  test.each(['encodeRecords', 'encodeBatch'] as const)('%s, whatever the descriptors say', (name) => {
    const headerSize = name === 'encodeBatch' ? HEADER_SIZE : 0;
    let encoded = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        descriptors,
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 240 }),
        ({ count, words }, arenaSize, outSize) => {
          const bytes = new Uint8Array(arenaSize).fill(0xbb);
          const records = new Uint8Array(Int32Array.from(words).buffer);
          const recordsEnd = base + records.length;
          const arena = recordsEnd + GAP;
          const arenaEnd = arena + arenaSize;
          const out = arenaEnd + GAP;
          const outEnd = out + outSize;
          const parts = new Map([
            [base, records],
            [arena, bytes],
          ]);
          const { end } = blind(parts, [[out, outEnd + SLACK]], () => {
            const to = raw[name](base, recordsEnd, count, arena, arenaEnd, out, outEnd);
            return { end: to, written: memory.slice(out + headerSize, Math.max(out, to)) };
          });
          if (end === 0) {
            refused++;
            return;
          }
          if (count > 0) encoded++;
          expect(end).toBeGreaterThanOrEqual(out);
          expect(end).toBeLessThanOrEqual(outEnd);
        },
      ),
      { numRuns: 2000 },
    );
    expect(encoded).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });
});
