import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AssignedMember, Targets } from '../../src/group/assignors/assignor.ts';
import { range } from '../../src/group/assignors/range.ts';
import { uniform } from '../../src/group/assignors/uniform.ts';

const TOPICS = ['t1', 't2', 't3'];

const group = fc.record({
  counts: fc.record({ t1: fc.nat(12), t2: fc.nat(5), t3: fc.nat(3) }),
  wants: fc.array(fc.subarray(TOPICS), { minLength: 1, maxLength: 7 }),
  alike: fc.boolean(),
});

type Group = typeof group extends fc.Arbitrary<infer T> ? T : never;

function membersOf({ wants, alike }: Group, had?: Targets): AssignedMember[] {
  return wants.map((topics, index) => {
    const memberId = `m${index}`;
    const wanted = new Set(alike ? wants[0] : topics);
    return {
      memberId,
      instanceId: index % 3 === 0 ? `i${index}` : null,
      topics: wanted,
      had: had?.get(memberId) ?? new Map(),
    };
  });
}

function countsOf({ counts }: Group, members: readonly AssignedMember[]): Map<string, number> {
  return new Map(Object.entries(counts).filter(([topic]) => members.some(({ topics }) => topics.has(topic))));
}

const titles = (targets: Targets) =>
  [...targets.values()].flatMap((target) =>
    [...target].flatMap(([topic, partitions]) => [...partitions].map((one) => `${topic}/${one}`)),
  );

const sizes = (targets: Targets) =>
  [...targets].map(([memberId, target]) => ({
    memberId,
    target,
    size: [...target.values()].reduce((sum, { size }) => sum + size, 0),
  }));

test.each([
  ['uniform', uniform],
  ['range', range],
])('%s gives every wanted partition to one that wants it, in whatever order members come', (_, assign) => {
  fc.assert(
    fc.property(group, (given) => {
      const members = membersOf(given);
      const counts = countsOf(given, members);
      const targets = assign(members, counts);
      const all = [...counts].flatMap(([topic, count]) =>
        Array.from({ length: count }, (__, one) => `${topic}/${one}`),
      );
      expect(titles(targets).sort()).toEqual(all.sort());
      for (const { memberId, topics } of members)
        for (const topic of targets.get(memberId)?.keys() ?? []) expect(topics).toContain(topic);
      expect(assign(members.toReversed(), counts)).toEqual(targets);
    }),
  );
});

test('uniform balances: nobody has two more than another that could take one off it', () => {
  fc.assert(
    fc.property(group, fc.nat(6), (given, leaving) => {
      const before = membersOf(given);
      const targets = uniform(before, countsOf(given, before));
      const members = membersOf(given, targets).filter(
        (_, index) => index !== leaving || before.length === 1,
      );
      const after = uniform(members, countsOf(given, members));
      const uneven = sizes(after).flatMap(({ target, size }) =>
        sizes(after).filter((other) => {
          const topics = members.find(({ memberId }) => memberId === other.memberId)?.topics;
          return size > other.size + 1 && [...target.keys()].some((topic) => topics?.has(topic));
        }),
      );
      expect(uneven).toEqual([]);
    }),
  );
});

test('uniform moves nothing while nothing changes, and no more than it must when a member comes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(40), (memberCount, partitionCount) => {
      const counts = new Map([['t1', partitionCount]]);
      const members = (count: number, had?: Targets) =>
        Array.from({ length: count }, (_, index) => {
          const memberId = `m${index}`;
          return {
            memberId,
            instanceId: null,
            topics: new Set(['t1']),
            had: had?.get(memberId) ?? new Map(),
          };
        });
      const first = uniform(members(memberCount), counts);
      expect(uniform(members(memberCount, first), counts)).toEqual(first);
      const second = uniform(members(memberCount + 1, first), counts);
      const moved = sizes(second).flatMap(({ memberId, target }) =>
        [...(target.get('t1') ?? [])].filter((one) => first.get(memberId)?.get('t1')?.has(one) !== true),
      );
      expect(moved.length).toBeLessThanOrEqual(Math.ceil(partitionCount / (memberCount + 1)));
    }),
  );
});
