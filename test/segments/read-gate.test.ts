import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadGate } from '../../src/segments/read-gate.ts';

/** Reads that end when they are told to. */
class Reads {
  readonly gate: ReadGate;
  readonly begun: number[] = [];
  readonly #open = new Map<number, PromiseWithResolvers<void>>();
  countMost = 0;
  bytesMost = 0;

  constructor(gate: ReadGate) {
    this.gate = gate;
  }

  run(number: number, sizeBytes: number): Promise<void> {
    return this.gate.run(sizeBytes, () => {
      const read = Promise.withResolvers<void>();
      this.begun.push(number);
      this.#open.set(number, read);
      this.countMost = Math.max(this.countMost, this.#open.size);
      this.bytesMost = Math.max(this.bytesMost, this.gate.sizeBytes);
      return read.promise;
    });
  }

  async end(number: number, error?: Error): Promise<void> {
    const read = this.#open.get(number);
    this.#open.delete(number);
    if (error === undefined) read?.resolve();
    else read?.reject(error);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
}

test('so many at once, in the order in which they came', async () => {
  const reads = new Reads(new ReadGate({ countMax: 2, bytesMax: 100 }));
  for (let i = 0; i < 4; i++) void reads.run(i, 1);
  expect(reads.begun).toEqual([0, 1]);
  await reads.end(1);
  expect(reads.begun).toEqual([0, 1, 2]);
  await reads.end(0);
  expect([reads.begun, reads.gate.sizeBytes]).toEqual([[0, 1, 2, 3], 2]);
});

test('so many bytes at once; what is larger than all goes alone, and nobody overtakes it', async () => {
  const reads = new Reads(new ReadGate({ countMax: 9, bytesMax: 100 }));
  for (const [number, sizeBytes] of [60, 50, 500, 10].entries()) void reads.run(number, sizeBytes);
  expect(reads.begun).toEqual([0]);
  await reads.end(0);
  expect(reads.begun).toEqual([0, 1]);
  await reads.end(1);
  expect([reads.begun, reads.gate.sizeBytes]).toEqual([[0, 1, 2], 500]);
  await reads.end(2);
  expect(reads.begun).toEqual([0, 1, 2, 3]);
});

test('one that fails leaves like the others', async () => {
  const reads = new Reads(new ReadGate({ countMax: 1, bytesMax: 1 }));
  const failing = reads.run(0, 1);
  void reads.run(1, 1);
  await reads.end(0, new Error('bad sector'));
  await expect(failing).rejects.toThrow('bad sector');
  expect(reads.begun).toEqual([0, 1]);
});

test('all come through, and the bounds hold', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat(39)), async (sizesBytes, order) => {
      const reads = new Reads(new ReadGate({ countMax: 3, bytesMax: 100 }));
      const all = sizesBytes.map((sizeBytes, number) => reads.run(number, sizeBytes));
      const ended = new Set<number>();
      while (ended.size < sizesBytes.length) {
        const running = reads.begun.filter((number) => !ended.has(number));
        const next = running[(order.next().value ?? 0) % running.length];
        expect.assert(next !== undefined);
        ended.add(next);
        await reads.end(next);
      }
      await Promise.all(all);
      expect(reads.begun).toEqual(sizesBytes.map((_, number) => number));
      expect(reads.countMost).toBeLessThanOrEqual(3);
      expect(reads.bytesMost).toBeLessThanOrEqual(Math.max(100, ...sizesBytes));
      expect(reads.gate.sizeBytes).toBe(0);
    }),
    { numRuns: 100 },
  );
});
