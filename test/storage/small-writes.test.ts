import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import { SmallWrites } from '../../src/hosts/node/small-writes.ts';

/** Writes that take as long as they are told, and whether they were made on the spot. */
function clocked() {
  let nowMs = 0;
  const writes = new SmallWrites(() => nowMs);
  const took = (ms: number) => () => {
    nowMs += ms;
    return 'made';
  };
  return { writes, took, wait: (ms: number) => (nowMs += ms) };
}

test('small writes are made on the spot, large ones are not', () => {
  const { writes, took } = clocked();
  expect(writes.tryNow(16 * 1024, took(1))).toBe('made');
  expect(writes.tryNow(16 * 1024 + 1, took(1))).toBeUndefined();
});

test('after a slow write, failed or not, others do the waiting twenty times as long', () => {
  const { writes, took, wait } = clocked();
  expect(writes.tryNow(100, took(200))).toBe('made');
  wait(3_999);
  expect(writes.tryNow(100, took(0))).toBeUndefined();
  wait(1);
  expect(writes.tryNow(100, took(0))).toBe('made');
  const fails = () => {
    took(5)();
    throw new Error('no space');
  };
  expect(() => writes.tryNow(100, fails)).toThrow('no space');
  wait(99);
  expect(writes.tryNow(100, took(0))).toBeUndefined();
  wait(1);
  expect(writes.tryNow(100, took(0))).toBe('made');
});

test('a file takes small and large writes, empty chunks among them, and refuses by rejecting', async () => {
  const root = await mkdtemp(join(tmpdir(), 'milena-files-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const path = join(root, 'file');
  const file = await new NodeFiles().open(path, { create: true });
  const large = new Uint8Array(20_000).fill(3);
  await file.write(0, [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 2)]);
  await file.write(3, [large.subarray(0, 10_000), large.subarray(10_000)]);
  await file.write(1, []);
  expect(new Uint8Array(await readFile(path))).toEqual(Uint8Array.of(1, 2, 2, ...large));
  await file.close();
  await expect(file.write(0, [Uint8Array.of(1)])).rejects.toThrow('EBADF');
  await expect(file.write(0, [large])).rejects.toThrow('EBADF');
});
