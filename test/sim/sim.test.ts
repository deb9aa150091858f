import { describe, expect, test } from 'vitest';
import { BUGS } from '../../src/hosts/sim/bugs.ts';
import type { SimulationReport } from '../../src/hosts/sim/simulation.ts';
import { runSeed } from './run.ts';
import { SEEDS } from './seeds.ts';

const FRESH_MS = 8_000;
const BUG_SEEDS_MAX = 100;
/** A bug that takes more is hardly guarded against. */
const FRESH_FROM = Math.floor(Math.random() * 2 ** 31);

function expectClean({ seed, failure }: SimulationReport): void {
  expect(failure, `npm run sim -- --seed ${seed}`).toBeUndefined();
}

test.each(SEEDS)('seed %i, which once found: %s', async (seed) => expectClean(await runSeed(seed)), 60_000);

test('fresh seeds', { timeout: 120_000 }, async () => {
  const untilMs = performance.now() + FRESH_MS;
  for (let seed = FRESH_FROM; performance.now() < untilMs; seed++) expectClean(await runSeed(seed));
});

describe('the simulator itself', () => {
  test(
    'one seed gives the same events and the same files twice; another gives others',
    { timeout: 60_000 },
    async () => {
      const [once, twice, other] = [await runSeed(7), await runSeed(7), await runSeed(8)];
      expect(twice).toEqual(once);
      expect(other.hashes.events).not.toBe(once.hashes.events);
      expect(other.hashes.files).not.toBe(once.hashes.files);
    },
  );

  test(
    'a seed is a minute, 2,000 operations and 20 faults of 6 kinds at least',
    { timeout: 60_000 },
    async () => {
      const { virtualMs, operations, faults, restarts } = await runSeed(FRESH_FROM);
      const counts = Object.values(faults);
      expect(virtualMs).toBeGreaterThanOrEqual(60_000);
      expect(operations).toBeGreaterThanOrEqual(2_000);
      expect(counts.reduce((all, count) => all + count, 0)).toBeGreaterThanOrEqual(20);
      expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(6);
      expect(restarts).toBeGreaterThanOrEqual(3);
    },
  );

  test.each(Object.keys(BUGS))('a planted bug is caught: %s', { timeout: 120_000 }, async (bug) => {
    for (let seed = 1; seed <= BUG_SEEDS_MAX; seed++) {
      const { failure } = await runSeed(seed, { bug });
      if (failure !== undefined) return expect(failure.name).toBe('Broken');
    }
    expect.unreachable(`${BUG_SEEDS_MAX} seeds did not notice ${bug}`);
  });
});
