import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Unchecked } from '../../src/segments/unchecked.ts';
import { append, appends, kernels } from '../storage/batches.ts';
import { ALL, create, killedAfter, log } from './crashed.ts';
import { openStore } from './open.ts';

const SIZE_BYTES = 40;
const place = fc.nat(SIZE_BYTES);
const ranges = fc.array(fc.tuple(place, place).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const));

test('what was checked is what is not unchecked, byte for byte', () => {
  fc.assert(
    fc.property(ranges, ranges, (checked, asked) => {
      let unchecked = Unchecked.all(SIZE_BYTES);
      const bytes = Array.from({ length: SIZE_BYTES }, () => true);
      for (const [from, to] of checked) {
        unchecked = unchecked.without(from, to);
        bytes.fill(false, from, to);
      }
      for (const [from, to] of asked.filter((range) => range[0] < range[1]))
        expect(unchecked.meets(from, to)).toBe(bytes.slice(from, to).includes(true));
    }),
  );
});

test('readers all over the place cost no more than a few pieces each', () => {
  let unchecked = Unchecked.all(1_000);
  for (let at = 0; at < 1_000; at += 2) unchecked = unchecked.without(at, at + 1);
  expect(unchecked.meets(0, 1)).toBe(false);
  // Forgotten: it is checked again, and then as part of more.
  expect(unchecked.meets(998, 999)).toBe(true);
  expect(unchecked.without(0, 1_000).meets(0, 1_000)).toBe(false);
});

test('what an earlier process left is checked once, wherever its readers begin', async () => {
  const files = await killedAfter([create, ...appends(log, 0, 13)]);
  const stopped = await openStore(files);
  await stopped.open(log);
  await stopped.close();

  const store = await openStore(files, { tailBytes: 0 });
  await store.open(log);
  const sums = vi.spyOn(kernels, 'crc32c');
  onTestFinished(() => sums.mockRestore());
  const maxBytes = 3 * append({ log, baseOffset: 0 }).bytes.length;
  const read = (fromOffset: number) => store.read(log, { ...ALL, fromOffset, maxBytes });
  await Promise.all([read(6), read(3)]);
  expect(sums).toHaveBeenCalledTimes(6);
  await Promise.all([read(3), read(6), read(4)]);
  expect(sums).toHaveBeenCalledTimes(6);
  await read(0);
  await read(0);
  expect(sums).toHaveBeenCalledTimes(9);
  await store.close();
});
