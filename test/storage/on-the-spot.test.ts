import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import { OnTheSpot } from '../../src/hosts/node/on-the-spot.ts';

/** Calls that take as long as they are told, and whether they were made on the spot. */
function clocked() {
  let nowMs = 0;
  let turnEnds = () => {};
  const turns = { now: () => nowMs, atEnd: (done: () => void) => (turnEnds = done) };
  const spot = new OnTheSpot({ turnMaxBytes: 1_000, slowMs: 5 }, turns);
  const took = (ms: number) => () => {
    nowMs += ms;
    return 'made';
  };
  return { spot, took, wait: (ms: number) => (nowMs += ms), endTurn: () => turnEnds() };
}

test('so much in a turn is made on the spot, what comes then is not', () => {
  const { spot, took, endTurn } = clocked();
  expect(spot.tryNow(1_001, took(1))).toBeUndefined();
  expect(spot.tryNow(400, took(1))).toBe('made');
  expect(spot.tryNow(601, took(1))).toBeUndefined();
  expect(spot.tryNow(600, took(1))).toBe('made');
  expect(spot.tryNow(1, took(1))).toBeUndefined();
  endTurn();
  expect(spot.tryNow(1_000, took(1))).toBe('made');
});

test('after a slow one, failed or not, others do the waiting twenty times as long', () => {
  const { spot, took, wait } = clocked();
  expect(spot.tryNow(10, took(200))).toBe('made');
  wait(3_999);
  expect(spot.tryNow(10, took(0))).toBeUndefined();
  wait(1);
  expect(spot.tryNow(10, took(0))).toBe('made');
  const fails = () => {
    took(5)();
    throw new Error('no space');
  };
  expect(spot.tryNow(10, fails)).toBeUndefined();
  wait(99);
  expect(spot.tryNow(10, took(0))).toBeUndefined();
  wait(1);
  expect(spot.tryNow(10, took(0))).toBe('made');
});

test('a file is read to its end, whoever reads how much of it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'milena-files-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const path = join(root, 'file');
  const content = new Uint8Array(9 * 1024 * 1024).map((_, at) => at % 251);
  await writeFile(path, content);
  const file = await new NodeFiles().open(path);
  const read = async (position: number, sizeBytes: number) => {
    const into = new Uint8Array(sizeBytes);
    const filled = await file.read(position, into);
    expect(Buffer.compare(into.subarray(0, filled), content.subarray(position, position + filled))).toBe(0);
    return filled;
  };
  // On the spot, by a thread since that was too much for a turn, and by both since the file ends first.
  const sizes = [
    read(0, 1_000_000),
    read(5, 8_000_000),
    read(content.length - 7, 20),
    read(content.length, 3),
  ];
  expect(await Promise.all(sizes)).toEqual([1_000_000, 8_000_000, 7, 0]);
  expect(await read(0, content.length + 1)).toBe(content.length);
  await file.close();
  await expect(file.read(0, new Uint8Array(1))).rejects.toThrow('EBADF');
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
