import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type QuotaEntity, entityKey } from '../../src/quota/entity.ts';
import { QuotaKeeper } from '../../src/quota/keeper.ts';
import { SampledRate } from '../../src/quota/rate.ts';
import { QuotaTable } from '../../src/quota/table.ts';
import { TokenBucket } from '../../src/quota/token-bucket.ts';

const WINDOWS = { count: 11, sizeMs: 1_000 };
const both = { clients: WINDOWS, mutations: WINDOWS };

describe('a rate over windows', () => {
  test('what has just begun counts as if ten windows had passed', () => {
    const rate = new SampledRate(WINDOWS);
    rate.record(10_000, 0);
    expect(rate.rate(0)).toBe(1_000);
    expect(rate.throttleMs(1_000, 0)).toBe(0);
    // Kafka: (2,000 - 1,000) / 1,000 of 10 s.
    rate.record(10_000, 0);
    expect(rate.throttleMs(1_000, 0)).toBe(10_000);
  });

  test('windows pass, and with them what was in them', () => {
    const rate = new SampledRate(WINDOWS);
    rate.record(11_000, 0);
    rate.record(11_000, 5_500);
    expect(rate.rate(10_500)).toBeCloseTo(22_000 / 10.5);
    expect(rate.rate(11_000)).toBeCloseTo(11_000 / 10.5);
    expect(rate.isOver(16_499)).toBe(false);
    expect(rate.isOver(16_500)).toBe(true);
  });

  test('a clock that is set back, or far ahead, holds nobody up', () => {
    const rate = new SampledRate(WINDOWS);
    rate.record(1e9, 1e12);
    expect(rate.throttleMs(1, 1e12 - 1)).toBe(0);
    rate.record(1e9, 1e12);
    expect(rate.throttleMs(1, 2e12)).toBe(0);
  });

  test('whoever waits as long as is said stays within the limit', () => {
    const limits = fc.integer({ min: 10, max: 10_000 });
    const shares = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(shares, limits, (sent, limit) => {
        const rate = new SampledRate(WINDOWS);
        let now = 0;
        for (const share of sent) {
          rate.record(share * limit, now);
          now += rate.throttleMs(limit, now);
        }
        const total = sent.reduce((sum, share) => sum + share * limit, 0);
        // All windows may be full at the start; and windows go whole, so that some of what was waited for is forgotten.
        expect(total).toBeLessThanOrEqual((1.25 * limit * (now + 11_000)) / 1_000);
      }),
    );
  });
});

describe('a bucket of changes', () => {
  test('all windows together may be taken at once; more is waited for', () => {
    const bucket = new TokenBucket(WINDOWS);
    bucket.take(22, 2, 0);
    expect(bucket.throttleMs(2, 0)).toBe(0);
    bucket.take(3, 2, 0);
    expect(bucket.throttleMs(2, 0)).toBe(1_500);
    expect(bucket.throttleMs(2, 500)).toBe(1_000);
    expect(bucket.throttleMs(2, 1_500)).toBe(0);
  });

  test('what is given back was never taken, and nobody saves more than a burst', () => {
    const bucket = new TokenBucket(WINDOWS);
    bucket.take(30, 2, 0);
    bucket.take(-30, 2, 0);
    bucket.take(22, 2, 3_600_000);
    expect(bucket.throttleMs(2, 3_600_000)).toBe(0);
    bucket.take(1, 2, 3_600_000);
    expect(bucket.throttleMs(2, 3_600_000)).toBe(500);
  });
});

describe('whose quota counts', () => {
  const alice = { user: 'alice', clientId: 'app' };
  /** Kafka's order, the most specific first; clients that share it with alice's app. */
  const order: [entity: QuotaEntity, sharedBy: [user: string, clientId: string][]][] = [
    [{ user: 'alice', 'client-id': 'app' }, []],
    [{ user: 'alice', 'client-id': null }, []],
    [{ user: 'alice' }, [['alice', 'other']]],
    [{ user: null, 'client-id': 'app' }, []],
    [{ user: null, 'client-id': null }, []],
    [{ user: null }, [['alice', 'other']]],
    [{ 'client-id': 'app' }, [['bob', 'app']]],
    [{ 'client-id': null }, [['bob', 'app']]],
  ];

  test.each(order.map(([entity, sharedBy], at) => ({ name: entityKey(entity), sharedBy, at })))(
    '$name, where nothing more specific is set',
    ({ at, sharedBy }) => {
      const table = new QuotaTable();
      for (const [later, [entity]] of order.entries())
        if (later >= at) table.set(entity, 'producer_byte_rate', 1 + later);
      const limit = table.limitOf('producer_byte_rate', alice);
      expect(limit?.value).toBe(1 + at);
      for (const [user, clientId] of sharedBy)
        expect(table.limitOf('producer_byte_rate', { user, clientId })).toEqual(limit);
      const strangers = ['app', 'other'].map((clientId) => ({ user: 'carol', clientId }));
      const others = strangers.filter(({ clientId }) => at < 6 || clientId !== 'app');
      for (const stranger of others)
        expect(table.limitOf('producer_byte_rate', stranger)?.sharedKey).not.toBe(limit?.sharedKey);
    },
  );

  test('a quota of something else is none', () => {
    const table = new QuotaTable();
    table.set({ user: 'alice', 'client-id': 'app' }, 'consumer_byte_rate', 1);
    table.set({ user: null }, 'producer_byte_rate', 2);
    expect(table.limitOf('producer_byte_rate', alice)?.value).toBe(2);
    expect(table.limitOf('request_percentage', alice)).toBeUndefined();
  });

  test('a name cannot pass for another entity', () => {
    const names = fc.string({
      minLength: 1,
      maxLength: 12,
      unit: fc.constantFrom('=', '>', ' ', ':', '1', 'u'),
    });
    const entities = fc.record(
      { user: fc.option(names), 'client-id': fc.option(names) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(entities, entities, (one, other) => {
        const isSame = one.user === other.user && one['client-id'] === other['client-id'];
        expect(entityKey(one) === entityKey(other)).toBe(isSame);
      }),
    );
  });
});

test('a change of a quota counts from then on; without one nothing is held', () => {
  const table = new QuotaTable();
  const keeper = new QuotaKeeper(table, both);
  const client = { user: 'a', clientId: 'b' };
  expect(keeper.isEmpty).toBe(true);
  table.set({ user: 'a' }, 'producer_byte_rate', 1_000);
  expect(keeper.record('producer_byte_rate', client, 20_000, 0)).toBe(10_000);
  table.set({ user: 'a' }, 'producer_byte_rate', 2_000);
  expect(keeper.record('producer_byte_rate', client, 0, 0)).toBe(0);
  table.remove({ user: 'a' }, 'producer_byte_rate');
  expect(keeper.record('producer_byte_rate', client, 1e9, 0)).toBe(0);
  expect(keeper.isEmpty).toBe(true);
});

test('time is waited for a window at most', () => {
  const table = new QuotaTable();
  table.set({ 'client-id': null }, 'request_percentage', 1);
  const keeper = new QuotaKeeper(table, both);
  expect(keeper.timesRequests).toBe(true);
  expect(keeper.record('request_percentage', { user: 'a', clientId: 'b' }, 1_000, 0)).toBe(1_000);
});

test('strangers with ever new client ids take no more memory than there is for them', () => {
  const table = new QuotaTable();
  table.set({ 'client-id': null }, 'producer_byte_rate', 1);
  table.set({ 'client-id': null }, 'controller_mutation_rate', 1);
  const keeper = new QuotaKeeper(table, both);
  for (let id = 0; id < 25_000; id++) {
    const client = { user: 'a', clientId: String(id) };
    keeper.record('producer_byte_rate', client, 100, id / 100);
    keeper.mutationsOf(client, id / 100)?.take(100, id / 100);
  }
  expect(keeper.meterCount).toBeLessThanOrEqual(20_000);
  // The newest are still known.
  expect(keeper.record('producer_byte_rate', { user: 'a', clientId: '24999' }, 0, 250)).toBeGreaterThan(0);
});
