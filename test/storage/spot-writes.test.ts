import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import { SpotWrites } from '../../src/hosts/node/spot-writes.ts';

/** Writes that take as long as they are told, and whether they were made on the spot. */
function clocked() {
  let nowMs = 0;
  const writes = new SpotWrites(() => nowMs);
  const took = (ms: number) => () => {
    nowMs += ms;
    return 'made';
  };
  return { writes, took, wait: (ms: number) => (nowMs += ms) };
}

test('writes of up to 2 MB are made on the spot, larger ones are not', () => {
  const { writes, took } = clocked();
  expect(writes.tryNow(2 * 1024 * 1024, took(1))).toBe('made');
  expect(writes.tryNow(2 * 1024 * 1024 + 1, took(1))).toBeUndefined();
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
  expect(writes.tryNow(100, fails)).toBeUndefined();
  wait(99);
  expect(writes.tryNow(100, took(0))).toBeUndefined();
  wait(1);
  expect(writes.tryNow(100, took(0))).toBe('made');
});

test('a file takes writes on the spot, and says no to what it cannot take so', async () => {
  const root = await mkdtemp(join(tmpdir(), 'milena-files-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const path = join(root, 'file');
  const file = await new NodeFiles().open(path, { create: true });
  const large = new Uint8Array(2 * 1024 * 1024 + 1).fill(3);
  expect(file.writeNow?.(0, [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 2)])).toBe(true);
  expect(file.writeNow?.(3, [large])).toBe(false);
  await file.write(3, [large.subarray(0, 1_000_000), large.subarray(1_000_000)]);
  const many = Array.from({ length: 2_000 }, () => Uint8Array.of(4));
  expect(file.writeNow?.(3 + large.length, many)).toBe(false);
  await file.write(3 + large.length, many);
  const expected = Buffer.concat([Uint8Array.of(1, 2, 2), large, ...many]);
  expect(Buffer.compare(await readFile(path), expected)).toBe(0);
  await file.close();
  expect(file.writeNow?.(0, [Uint8Array.of(1)])).toBe(false);
  await expect(file.write(0, [Uint8Array.of(1)])).rejects.toThrow('EBADF');
});
