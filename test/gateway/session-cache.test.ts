import { describe, expect, test } from 'vitest';
import type { Part } from '../../src/gateway/fetch/fetch-call.ts';
import { type FetchSession, nextEpoch } from '../../src/gateway/fetch/session.ts';
import { FetchSessions } from '../../src/gateway/fetch/sessions.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../../src/model/limits.ts';
import { ManualClock } from './fake-gateway.ts';

const EVICTION_MS = DEFAULT_GATEWAY_LIMITS.fetchSessionEvictionMs;

/** Sessions on a clock of their own; ids as `random` gives them. */
class Cache {
  readonly clock = new ManualClock();
  readonly sessions: FetchSessions;

  constructor(limits: Partial<GatewayLimits> = {}, random?: () => number) {
    let seed = 0;
    const next = random ?? (() => (seed = (seed + 0.618) % 1));
    this.sessions = new FetchSessions({
      limits: { ...DEFAULT_GATEWAY_LIMITS, ...limits },
      clock: this.clock,
      random: { next, uuid: () => '' },
    });
  }

  open(partitions: number, { isFollower = false, principal = 'User:a', topic = 'topic' } = {}): number {
    return this.sessions.open({ principal, isFollower, usesTopicIds: false }, parts(topic, partitions));
  }

  has(id: number, principal = 'User:a'): boolean {
    return this.sessions.get(id, principal) !== undefined;
  }

  use(id: number, change: (session: FetchSession) => void = () => {}): boolean {
    const session = this.sessions.get(id, 'User:a');
    if (session === undefined) throw new Error('no such session');
    return this.sessions.use(session, () => change(session));
  }
}

function parts(topic: string, count: number): Part[] {
  return Array.from({ length: count }, (_, partition) => ({
    wanted: { topic, topicId: '', partition: { partition } },
    response: { partitionIndex: partition, errorCode: 0, highWatermark: 0, logStartOffset: 0 },
  })) as unknown as Part[];
}

test('ids are random, positive and new', () => {
  const draws = [0, 0, 0.5, 1 - 2 ** -48];
  const { sessions, ...cache } = new Cache({}, () => draws.shift() ?? 0.25);
  const owner = { principal: 'User:a', isFollower: false, usesTopicIds: false };
  expect([1, 2, 3].map(() => sessions.open(owner, parts('t', 1)))).toEqual([1, 0x4000_0000, 0x7fff_ffff]);
  expect(cache.clock.waiting).toBe(0);
});

test('after the last epoch comes 1', () => {
  expect([0, 1, 0x7fff_fffe, 0x7fff_ffff].map(nextEpoch)).toEqual([1, 2, 0x7fff_ffff, 1]);
});

test('a session is its principal’s: another neither finds nor closes it', () => {
  const cache = new Cache();
  const id = cache.open(1);
  expect([cache.has(id), cache.has(id, 'User:b')]).toEqual([true, false]);
  expect([cache.sessions.close(id, 'User:b'), cache.has(id)]).toEqual([false, true]);
  expect([cache.sessions.close(id, 'User:a'), cache.has(id)]).toEqual([true, false]);
  expect(cache.sessions.sizeBytes).toBe(0);
});

describe('when all places are taken', () => {
  test('a new one has none while the others are new and in use', () => {
    const cache = new Cache({ fetchSessionsMax: 2 });
    const ids = [cache.open(1), cache.open(1)];
    cache.clock.advance(EVICTION_MS);
    expect(cache.open(9)).toBe(0);
    expect(ids.map((id) => cache.has(id))).toEqual([true, true]);
  });

  test('the longest unused goes first, however large', () => {
    const cache = new Cache({ fetchSessionsMax: 2 });
    const [idle, used] = [cache.open(50), cache.open(1)];
    cache.clock.advance(EVICTION_MS);
    cache.use(used);
    cache.clock.advance(1);
    expect(cache.open(1)).not.toBe(0);
    expect([cache.has(idle), cache.has(used), cache.sessions.evictions]).toEqual([false, true, 1]);
  });

  test('then the smallest that is not new, if it is no larger', () => {
    const cache = new Cache({ fetchSessionsMax: 3 });
    const [five, three, seven] = [cache.open(5), cache.open(3), cache.open(7)];
    cache.clock.advance(EVICTION_MS + 1);
    for (const id of [five, three, seven]) cache.use(id);
    expect(cache.open(2)).toBe(0);
    expect(cache.open(3)).not.toBe(0);
    expect([five, three, seven].map((id) => cache.has(id))).toEqual([true, false, true]);
    // What has just come is new: the next smallest is the one of five.
    expect(cache.open(4)).toBe(0);
    expect(cache.open(6)).not.toBe(0);
    expect([cache.has(five), cache.has(seven)]).toEqual([false, true]);
  });

  test('a follower takes a consumer’s place, old or new; a consumer none of a follower that is at work', () => {
    const cache = new Cache({ fetchSessionsMax: 2 });
    const [small, large] = [cache.open(1), cache.open(9)];
    const followers = [1, 2].map(() => cache.open(3, { isFollower: true }));
    expect(followers.map((id) => cache.has(id))).toEqual([true, true]);
    expect([cache.has(small), cache.has(large)]).toEqual([false, false]);
    cache.clock.advance(EVICTION_MS + 1);
    for (const id of followers) cache.use(id);
    expect(cache.open(1_000)).toBe(0);
    expect(cache.open(3, { isFollower: true })).not.toBe(0);
    // One that has not been heard of for so long is gone, or has no use for it.
    cache.clock.advance(EVICTION_MS + 1);
    expect(cache.open(1)).not.toBe(0);
  });

  test('with no place at all nobody has a session', () => {
    expect(new Cache({ fetchSessionsMax: 0 }).open(1)).toBe(0);
  });
});

describe('what they remember is bounded in bytes', () => {
  const limits = { fetchSessionBytesMax: 10_000 };

  test('a session that does not fit is not made, nor are others thrown out for it', () => {
    const cache = new Cache(limits);
    const id = cache.open(1);
    cache.clock.advance(EVICTION_MS + 1);
    expect(cache.open(1_000)).toBe(0);
    expect(cache.open(1, { topic: 'x'.repeat(10_000) })).toBe(0);
    expect(cache.has(id)).toBe(true);
  });

  test('those that are unused make room, as many as it takes', () => {
    const cache = new Cache(limits);
    const old = Array.from({ length: 10 }, () => cache.open(1));
    cache.clock.advance(EVICTION_MS + 1);
    const id = cache.open(15);
    expect([cache.has(id), old.filter((one) => cache.has(one)).length]).toEqual([true, 4]);
    expect(cache.sessions.sizeBytes).toBeLessThanOrEqual(limits.fetchSessionBytesMax);
  });

  test('one that grows too large is gone, and its bytes with it', () => {
    const cache = new Cache(limits);
    const [grows, other] = [cache.open(1), cache.open(1)];
    expect(cache.use(grows, (session) => (session.sizeBytes += 9_500))).toBe(false);
    expect([cache.has(grows), cache.has(other)]).toEqual([false, true]);
    expect(cache.sessions.sizeBytes).toBe(cache.sessions.get(other, 'User:a')?.sizeBytes);
  });
});
