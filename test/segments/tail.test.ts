import { expect, test } from 'vitest';
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
const batch = (offset: number, bytes: Uint8Array, written = true) => ({
  baseOffset: offset,
  lastOffset: offset,
  bytes,
  segment,
  position: 0,
  written,
});
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
  const log = new LogTail(tail);
  const socketBuffer = Uint8Array.from({ length: 256 * 1024 }, (_, at) => at % 251);
  const kept = Array.from({ length: 1_000 }, (_, offset) =>
    tail.keepable(socketBuffer.subarray(offset, offset + 200)),
  );
  for (const [offset, bytes] of kept.entries()) log.push(batch(offset, bytes));
  expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(4);
  expect(kept.every((bytes, offset) => bytes[0] === offset % 251 && bytes.length === 200)).toBe(true);
  expect(kept.every((bytes, offset) => bytes[199] === (offset + 199) % 251)).toBe(true);
  log.dropBelow(999);
  expect(tail.sizeBytes).toBeLessThan(65 * 1024);
  log.dropBelow(1_000);
  expect(tail.sizeBytes).toBe(0);
});

test('of a tail that holds little no slab is larger, and what is large or alone is not copied', () => {
  const tail = new Tail(64 * 1024);
  const socketBuffer = new Uint8Array(256 * 1024);
  expect(tail.keepable(socketBuffer.subarray(0, 200)).buffer.byteLength).toBe(1024);
  expect(tail.keepable(socketBuffer.subarray(0, 500)).buffer.byteLength).toBe(500);
  const large = socketBuffer.subarray(0, 16 * 1024 + 1);
  expect(tail.keepable(large)).toBe(large);
  const own = new Uint8Array(100);
  expect(tail.keepable(own)).toBe(own);
});

test('holds what it may, over all logs, the newest', () => {
  const tail = new Tail(10_000);
  const logs = [new LogTail(tail), new LogTail(tail)] as const;
  for (let offset = 0; offset < 100; offset++) {
    for (const log of logs) log.push(batch(offset, new Uint8Array(800)));
    tail.shrink();
    expect(tail.sizeBytes).toBeLessThanOrEqual(10_000);
  }
  for (const log of logs) expect(log.read({ ...ALL, fromOffset: 95 })).toHaveLength(5 * 800);
});

test('counts a shared buffer whole, and once', () => {
  const tail = new Tail(1e6);
  const log = new LogTail(tail);
  const request = new Uint8Array(100_000);
  for (let part = 0; part < 4; part++)
    log.push(batch(part, request.subarray(part * 25_000, (part + 1) * 25_000)));
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
  const first = batch(0, new Uint8Array(500), false);
  log.push(first);
  log.push(batch(1, new Uint8Array(500)));
  tail.shrink();
  expect(log.read(ALL)).toHaveLength(1000);
  first.written = true;
  tail.shrink();
  expect(log.first).toBeUndefined();
  expect(tail.sizeBytes).toBe(0);
});

test('logs that come and go leave nothing behind an old one', () => {
  const tail = new Tail(1e6);
  const old = new LogTail(tail);
  old.push(batch(0, new Uint8Array(10)));
  for (let round = 0; round < 100; round++) {
    const log = new LogTail(tail);
    for (let offset = 0; offset < 50; offset++) log.push(batch(offset, new Uint8Array(1000)));
    log.cutFrom(0);
    tail.shrink();
  }
  expect(tail.sizeBytes).toBeLessThan(1000);
  expect(old.read(ALL)).toHaveLength(10);
});
