import { expect, test } from 'vitest';
import { check } from '../../src/hosts/sim/anomalies/check.ts';
import { realRun } from './real/run.ts';

/** One with kafkajs and one without; both protocols of groups. */
const SEEDS = [2, 8];

test.each(SEEDS)(
  'a real broker that is killed shows nothing bad (seed %i)',
  { timeout: 90_000 },
  async (seed) => {
    const { verdict, faults, transactions, kills, history } = await realRun(seed);
    expect(faults).toEqual([]);
    expect(verdict.bad).toEqual([]);
    expect(kills).toBeGreaterThan(0);
    expect(transactions.ok).toBeGreaterThan(5);
    // The judge was not asleep: what is left out of that history is missed.
    const operations = history.operations.filter(({ process }) => !process.startsWith('last'));
    const unread = operations.map((operation) => ({
      ...operation,
      steps: operation.steps.filter(({ type, key }) => type === 'send' || key !== 'output-0'),
    }));
    expect(check({ ...history, operations: unread }).counts.has('unseen')).toBe(true);
  },
);
