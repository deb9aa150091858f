import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur2, murmur2Partitioner, StickyPartition } from '../../../src/client/producer/partitioner.ts';
import { SeededRandom } from '../../../src/hosts/sim/random.ts';

const require = createRequire(import.meta.url);
const kafkaJsMurmur2 = require('kafkajs/src/producer/partitioners/default/murmur2') as (
  bytes: Buffer,
) => number;

describe('by key', () => {
  // What Java's client hashes them to.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('%s hashes as in Java', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  test('any bytes hash as in kafkajs, and go to the same partition as text and as bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(murmur2(bytes)).toBe(kafkaJsMurmur2(Buffer.from(bytes)));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
        const partition = murmur2Partitioner({ topic: 't', key }, partitions);
        expect(partition).toBe((kafkaJsMurmur2(Buffer.from(key)) & 0x7fffffff) % partitions);
        expect(murmur2Partitioner({ topic: 't', key: Buffer.from(key) }, partitions)).toBe(partition);
      }),
    );
  });
});

describe('without a key', () => {
  const idle = () => ({ hasLeader: true, batches: 0 });

  /** How many records of 100 bytes each partition gets. */
  function shares(loads: { hasLeader: boolean; batches: number }[], records = 20_000): number[] {
    const sticky = new StickyPartition(new SeededRandom(7), 1_000);
    const counts = loads.map(() => 0);
    for (let record = 0; record < records; record++) {
      const partition = sticky.next(100, loads.length, (at) => loads[at] ?? idle());
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    return counts;
  }

  test('it stays until a batch has gone there', () => {
    const sticky = new StickyPartition(new SeededRandom(1), 1_000);
    const chosen = Array.from({ length: 30 }, () => sticky.next(100, 50, idle));
    expect(new Set(chosen.slice(0, 10)).size).toBe(1);
    expect(new Set(chosen.slice(10, 20)).size).toBe(1);
    expect(new Set(chosen).size).toBeGreaterThan(1);
  });

  test('all get as much, while all are as quick', () => {
    for (const count of shares(Array.from({ length: 4 }, idle))) expect(count).toBeGreaterThan(3_500);
  });

  test('the less, the more waits for it; nothing without a leader, unless none has one', () => {
    const [quick = 0, slow = 0, dead = 0] = shares([
      { hasLeader: true, batches: 0 },
      { hasLeader: true, batches: 9 },
      { hasLeader: false, batches: 0 },
    ]);
    expect(quick).toBeGreaterThan(5 * slow);
    expect(slow).toBeGreaterThan(0);
    expect(dead).toBe(0);
    const none = Array.from({ length: 3 }, () => ({ hasLeader: false, batches: 0 }));
    for (const count of shares(none)) expect(count).toBeGreaterThan(5_000);
  });

  test('a topic that has fewer partitions now', () => {
    const sticky = new StickyPartition(new SeededRandom(3), 1_000_000);
    sticky.next(1, 50, idle);
    for (let record = 0; record < 10; record++) expect(sticky.next(1, 2, idle)).toBeLessThan(2);
  });
});
