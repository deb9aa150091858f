import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadKernels } from '../../src/kernels/load.ts';
import { concat } from '../../src/model/bytes.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { offsetAfter } from '../../src/records/header.ts';
import { FileCache } from '../../src/segments/file-cache.ts';
import { IndexCache } from '../../src/segments/index-cache.ts';
import { LogSegment } from '../../src/segments/log-segment.ts';
import { keepable } from '../../src/records/keepable.ts';
import { COPY_MAX_BYTES, LogTail, Tail } from '../../src/segments/tail.ts';
import { MemoryFiles } from '../storage/memory-files.ts';

const parts = {
  files: new FileCache(new MemoryFiles(), 1),
  cache: new IndexCache(0),
  indexIntervalBytes: 4096,
};
const segment = new LogSegment('/log', 0, parts);
const kernels = await loadKernels();
/** A part of one batch, whatever its bytes are. */
const part = (baseOffset: number, bytes: Uint8Array, unwritten = 0) => ({
  baseOffset,
  lastOffset: baseOffset,
  bytes,
  sizeBytes: bytes.length,
  unwritten,
  segment,
  position: 0,
});
/** A batch of `records` records in a buffer it shares with much else, as one from a socket. */
function received(baseOffset: number, records = 1, valueBytes = 100): Uint8Array {
  const values = Array.from({ length: records }, () => ({ value: new Uint8Array(valueBytes), timestamp: 1 }));
  const built = buildBatch(kernels, { baseOffset, records: values });
  const socketBuffer = new Uint8Array(64 * 1024);
  socketBuffer.set(built, 1_000);
  return socketBuffer.subarray(1_000, 1_000 + built.length);
}
/** As a log does it. */
function append(log: LogTail, baseOffset: number, bytes = received(baseOffset)): void {
  const lastOffset = offsetAfter(bytes)! - 1;
  if (log.join({ lastOffset, bytes })) return;
  log.push({ baseOffset, lastOffset, bytes: log.keepable(bytes), sizeBytes: bytes.length, unwritten: 1 });
}
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

test('a small view of a large buffer is copied, a large one or one that fills its buffer is not', () => {
  const socketBuffer = new Uint8Array(64 * 1024);
  const small = keepable(socketBuffer.subarray(100, 200));
  expect(small.buffer.byteLength).toBe(100);
  const large = socketBuffer.subarray(0, 30_000);
  expect(keepable(large, COPY_MAX_BYTES)).toBe(large);
  const own = new Uint8Array(100);
  expect(keepable(own)).toBe(own);
});

test('small batches are copied side by side, and what they share goes with the last of them', () => {
  const tail = new Tail(64 * 64 * 1024);
  const logs = Array.from({ length: 10 }, () => new LogTail(tail));
  for (let offset = 0; offset < 100; offset++) for (const log of logs) append(log, offset);
  const sizeBytes = 1_000 * received(0).length;
  expect(tail.sizeBytes).toBeGreaterThan(sizeBytes);
  expect(tail.sizeBytes).toBeLessThan(2 * sizeBytes);
  for (const log of logs) expect(log.read(ALL)).toEqual(batches(0, 100));
  for (const log of logs.slice(1)) log.cutFrom(0);
  expect(logs[0]!.read({ ...ALL, fromOffset: 17, endOffset: 95 })).toEqual(batches(17, 95));
  logs[0]!.dropBelow(99);
  expect(tail.sizeBytes).toBeGreaterThan(0);
  expect(tail.sizeBytes).toBeLessThan(65 * 1024);
  logs[0]!.dropBelow(100);
  expect(tail.sizeBytes).toBe(0);
});

test('of a log that gets one batch no more is kept than that', () => {
  const tail = new Tail(64 * 64 * 1024);
  const log = new LogTail(tail);
  append(log, 0);
  expect(log.first!.bytes).toHaveLength(received(0).length);
});

test('of a tail that holds little no slab is larger, and what is large or alone is not copied', () => {
  const tail = new Tail(64 * 1024);
  const socketBuffer = new Uint8Array(256 * 1024);
  const keepableAlone = (bytes: Uint8Array) => tail.keepable(bytes, undefined);
  expect(keepableAlone(socketBuffer.subarray(0, 200)).buffer.byteLength).toBe(1024);
  expect(keepableAlone(socketBuffer.subarray(0, 500)).buffer.byteLength).toBe(500);
  const large = socketBuffer.subarray(0, 16 * 1024 + 1);
  expect(keepableAlone(large)).toBe(large);
  const own = new Uint8Array(100);
  expect(keepableAlone(own)).toBe(own);
});

test('what a reader holds does not change when what follows it is cut, and something else comes', () => {
  const tail = new Tail(64 * 64 * 1024);
  const log = new LogTail(tail);
  for (let offset = 0; offset < 20; offset++) append(log, offset);
  const before = log.read({ ...ALL, fromOffset: 15 });
  const copy = before.slice();
  log.cutFrom(17);
  for (let offset = 17; offset < 30; offset++) append(log, offset, received(offset, 1, 90));
  expect(before).toEqual(copy);
  expect(log.read({ ...ALL, endOffset: 17 })).toEqual(batches(0, 17));
  expect(log.read({ ...ALL, fromOffset: 17, maxBytes: 1 })).toEqual(received(17, 1, 90));
});

test('holds what it may, over all logs, the newest', () => {
  const tail = new Tail(10_000);
  const logs = [new LogTail(tail), new LogTail(tail)] as const;
  for (let offset = 0; offset < 100; offset++) {
    for (const log of logs) log.push(part(offset, new Uint8Array(800)));
    tail.shrink();
    expect(tail.sizeBytes).toBeLessThanOrEqual(10_000);
  }
  for (const log of logs) expect(log.read({ ...ALL, fromOffset: 95 })).toHaveLength(5 * 800);
});

test('counts a shared buffer whole, and once', () => {
  const tail = new Tail(1e6);
  const log = new LogTail(tail);
  const request = new Uint8Array(100_000);
  for (let number = 0; number < 4; number++)
    log.push(part(number, request.subarray(number * 25_000, (number + 1) * 25_000)));
  expect(tail.sizeBytes).toBeGreaterThanOrEqual(100_000);
  expect(tail.sizeBytes).toBeLessThan(102_000);
  log.dropBelow(3);
  expect(tail.sizeBytes).toBeGreaterThanOrEqual(100_000);
  log.cutFrom(0);
  expect(tail.sizeBytes).toBe(0);
});

test('what is not written stays, and what is behind it', () => {
  const tail = new Tail(0);
  const log = new LogTail(tail);
  const first = part(0, new Uint8Array(500), 2);
  log.push(first);
  log.push(part(1, new Uint8Array(500)));
  tail.shrink();
  first.unwritten--;
  tail.shrink();
  expect(log.read(ALL)).toHaveLength(1000);
  first.unwritten--;
  tail.shrink();
  expect(log.first).toBeUndefined();
  expect(tail.sizeBytes).toBe(0);
});

test('logs that come and go leave nothing behind an old one', () => {
  const tail = new Tail(1e6);
  const old = new LogTail(tail);
  old.push(part(0, new Uint8Array(10)));
  for (let round = 0; round < 100; round++) {
    const log = new LogTail(tail);
    for (let offset = 0; offset < 50; offset++) log.push(part(offset, new Uint8Array(1000)));
    log.cutFrom(0);
    tail.shrink();
  }
  expect(tail.sizeBytes).toBeLessThan(1000);
  expect(old.read(ALL)).toHaveLength(10);
});

/** What a log of one-record batches with those offsets reads as. */
function batches(from: number, to: number): Uint8Array {
  return concat(Array.from({ length: to - from }, (_, at) => received(from + at)));
}

const shapes = fc.array(fc.record({ records: fc.integer({ min: 1, max: 3 }), valueBytes: fc.nat(3_000) }), {
  maxLength: 60,
});

test('a range reads as one batch after the other, wherever they lie and whatever was cut', () => {
  const positions = fc.record({ from: fc.nat(100), length: fc.nat(100), maxBytes: fc.nat(20_000) });
  fc.assert(
    fc.property(shapes, shapes, fc.nat(100), positions, (before, after, cut, { from, length, maxBytes }) => {
      const tail = new Tail(64 * 64 * 1024);
      const log = new LogTail(tail);
      let model: { baseOffset: number; lastOffset: number; bytes: Uint8Array }[] = [];
      const appendAll = (all: typeof before) => {
        for (const { records, valueBytes } of all) {
          const baseOffset = (model.at(-1)?.lastOffset ?? -1) + 1;
          const bytes = received(baseOffset, records, valueBytes);
          model.push({ baseOffset, lastOffset: baseOffset + records - 1, bytes });
          append(log, baseOffset, bytes);
        }
      };
      appendAll(before);
      log.cutFrom(cut);
      model = model.filter(({ lastOffset }) => lastOffset < cut);
      appendAll(after);
      const endOffset = from + length;
      const wanted: Uint8Array[] = [];
      let sizeBytes = 0;
      for (const { lastOffset, bytes } of model.filter((batch) => batch.lastOffset >= from)) {
        sizeBytes += bytes.length;
        if (lastOffset >= endOffset || (wanted.length > 0 && sizeBytes > maxBytes)) break;
        wanted.push(bytes);
      }
      expect(log.read({ fromOffset: from, endOffset, maxBytes })).toEqual(concat(wanted));
      log.cutFrom(0);
      expect(tail.sizeBytes).toBe(0);
    }),
  );
});
