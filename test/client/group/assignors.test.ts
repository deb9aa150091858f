import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areCooperative, assignorsOf } from '../../../src/client/group/assignors/by-name.ts';
import type { Assignments, Assignor, GroupMember } from '../../../src/client/group/assignors/assignor.ts';
import { cooperativeSticky } from '../../../src/client/group/assignors/cooperative-sticky.ts';
import { range } from '../../../src/client/group/assignors/range.ts';
import { kafkajsRoundRobin, roundRobin } from '../../../src/client/group/assignors/round-robin.ts';
import { sticky } from '../../../src/client/group/assignors/sticky.ts';
import { titleOf, type TopicPartition } from '../../../src/client/topic-partition.ts';

const TOPICS = ['a', 'b', 'c'];

function member(memberId: string, topics: readonly string[], facts: Partial<GroupMember> = {}): GroupMember {
  const nothing = { instanceId: null, owned: [], generationId: -1, rackId: null, userData: null };
  return { memberId, topics, ...nothing, ...facts };
}

/** What a member says when it joins again with what it has. */
function returning(assignor: Assignor, before: GroupMember, had: TopicPartition[], generationId: number) {
  const { memberId, topics, instanceId } = before;
  const userData = assignor.userDataOf?.({ partitions: had, generationId }) ?? null;
  const owned = assignor.isCooperative ? had : [];
  return member(memberId, topics, { instanceId, userData, owned, generationId });
}

function titles(assignments: Assignments): Record<string, string[]> {
  return Object.fromEntries(Array.from(assignments, ([id, partitions]) => [id, partitions.map(titleOf)]));
}

const countsArbitrary = fc
  .tuple(fc.nat(7), fc.nat(7), fc.nat(7))
  .map((sizes) => new Map(TOPICS.map((topic, index) => [topic, sizes[index] ?? 0])));
const topicsArbitrary = fc.subarray(TOPICS, { minLength: 1 });
const membersArbitrary = fc
  .array(fc.tuple(topicsArbitrary, fc.boolean()), { minLength: 1, maxLength: 6 })
  .map((all) =>
    all.map(([topics, isStatic], index) =>
      member(`m${index}`, topics, isStatic ? { instanceId: `i${9 - index}` } : {}),
    ),
  );
const ALL = [range, roundRobin, kafkajsRoundRobin, sticky, cooperativeSticky];

function expectEachOnce(
  assignments: Assignments,
  members: readonly GroupMember[],
  counts: ReadonlyMap<string, number>,
) {
  const wanted = new Set(members.flatMap(({ topics }) => topics));
  const expected = [...wanted].flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => titleOf({ topic, partition })),
  );
  expect(Object.values(titles(assignments)).flat().sort()).toEqual(expected.sort());
  for (const { memberId, topics } of members)
    for (const { topic } of assignments.get(memberId) ?? []) expect(topics).toContain(topic);
}

/** Nobody holds two more than one that could take a partition off it, be it through others: an oracle by search. */
function expectBalanced(assignments: Assignments, members: readonly GroupMember[]) {
  const sizeOf = (id: string) => assignments.get(id)?.length ?? 0;
  for (const source of members) {
    const reached = new Set([source.memberId]);
    for (const id of reached) {
      const topics = new Set(assignments.get(id)?.map(({ topic }) => topic));
      for (const other of members)
        if (other.topics.some((topic) => topics.has(topic))) reached.add(other.memberId);
    }
    for (const id of reached) expect(sizeOf(source.memberId) - sizeOf(id)).toBeLessThan(2);
  }
}

describe.each(ALL)('$name', (assignor) => {
  test('every partition once, to one that wants it, in whatever order members come', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        const assignments = assignor.assign(members, counts);
        expectEachOnce(assignments, members, counts);
        expect([...assignments.keys()].sort()).toEqual(members.map(({ memberId }) => memberId).sort());
        expect(titles(assignor.assign(members.toReversed(), counts))).toEqual(titles(assignments));
      }),
    );
  });

  test('members that want the same differ by one a topic at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), countsArbitrary, (size, counts) => {
        const members = Array.from({ length: size }, (_, index) => member(`m${index}`, TOPICS));
        const sizes = [...assignor.assign(members, counts).values()].map(({ length }) => length);
        const slack = assignor === range ? TOPICS.length : 1;
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(slack);
      }),
    );
  });
});

describe('as Kafka does it', () => {
  const counts = new Map([
    ['a', 3],
    ['b', 3],
  ]);

  test('range: neighbours, and the same numbers of both topics meet', () => {
    const two = [member('x', ['a', 'b']), member('y', ['b', 'a'])];
    expect(titles(range.assign(two, counts))).toEqual({ x: ['a-0', 'a-1', 'b-0', 'b-1'], y: ['a-2', 'b-2'] });
  });

  test('roundrobin: in turn, over topics, past those that do not want it', () => {
    const three = [member('x', ['a', 'b']), member('y', ['a']), member('z', ['a', 'b'])];
    expect(titles(roundRobin.assign(three, counts))).toEqual({
      x: ['a-0', 'b-0', 'b-2'],
      y: ['a-1'],
      z: ['a-2', 'b-1'],
    });
  });

  test('static members come first, by the names that outlive them', () => {
    const two = [member('a-new', ['a']), member('z-new', ['a'], { instanceId: 'node-1' })];
    expect(titles(range.assign(two, counts))).toEqual({ 'z-new': ['a-0', 'a-1'], 'a-new': ['a-2'] });
  });
});

describe.each([sticky, cooperativeSticky])('$name', (assignor) => {
  /** As the group goes on until nothing moves: a cooperative one needs two rounds. */
  function settle(
    members: readonly GroupMember[],
    counts: ReadonlyMap<string, number>,
    had: Assignments,
    from = 1,
  ) {
    let assignments = had;
    for (let generationId = from; generationId < from + 2; generationId++) {
      const back = members.map((one) =>
        returning(assignor, one, assignments.get(one.memberId) ?? [], generationId),
      );
      assignments = assignor.assign(back, counts);
    }
    return assignments;
  }

  test('balanced in whatever subscriptions, and then nothing moves', () => {
    fc.assert(
      fc.property(membersArbitrary, countsArbitrary, (members, counts) => {
        const settled = settle(members, counts, new Map());
        expectEachOnce(settled, members, counts);
        expectBalanced(settled, members);
        const sets = (of: Assignments) => Object.values(titles(of)).map((some) => some.toSorted());
        expect(sets(settle(members, counts, settled))).toEqual(sets(settled));
      }),
    );
  });

  test('when members come and go, no more moves than the balance takes', () => {
    const sizes = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(sizes, sizes, countsArbitrary, (before, after, counts) => {
        const some = (size: number) =>
          Array.from({ length: size }, (_, index) => member(`m${index}`, TOPICS));
        const had = settle(some(before), counts, new Map());
        const has = settle(some(after), counts, had, 5);
        expectEachOnce(has, some(after), counts);
        expectBalanced(has, some(after));
        const total = [...has.values()].flat().length;
        const most = Math.ceil(total / after);
        const larger = total - Math.floor(total / after) * after;
        // Those that stay keep all up to their share; as many as there are larger shares keep one more.
        const kept = some(Math.min(before, after)).map(({ memberId }) => had.get(memberId)?.length ?? 0);
        const least = Math.floor(total / after);
        const overs = kept.filter((size) => size > least).length;
        const expected =
          kept.reduce((sum, size) => sum + Math.min(size, least), 0) +
          (most > least ? Math.min(overs, larger) : 0);
        const stayed = some(Math.min(before, after)).map(({ memberId }) => {
          const was = new Set(had.get(memberId)?.map(titleOf));
          return (has.get(memberId) ?? []).filter((one) => was.has(titleOf(one))).length;
        });
        expect(stayed.reduce((sum, size) => sum + size, 0)).toBe(expected);
      }),
    );
  });

  test('a topic that is gone, or that nobody wants any more, is nobody’s', () => {
    const had = new Map([
      [
        'x',
        [
          { topic: 'a', partition: 0 },
          { topic: 'gone', partition: 0 },
        ],
      ],
    ]);
    const back = returning(assignor, member('x', ['a', 'gone']), had.get('x') ?? [], 3);
    expect(titles(assignor.assign([back], new Map([['a', 1]])))).toEqual({ x: ['a-0'] });
  });

  test('of two that claim a partition, the later generation has it', () => {
    const claims = [{ topic: 'a', partition: 0 }];
    const counts = new Map([['a', 2]]);
    const late = returning(assignor, member('x', ['a']), claims, 3);
    const newest = returning(assignor, member('y', ['a']), claims, 5);
    expect(titles(assignor.assign([late, newest], counts))).toEqual({ x: ['a-1'], y: ['a-0'] });
  });
});

describe('cooperative', () => {
  const counts = new Map([['a', 4]]);

  test('what moves is nobody’s until it is given up; all others keep what they have', () => {
    fc.assert(
      fc.property(membersArbitrary, membersArbitrary, countsArbitrary, (before, after, sizes) => {
        let had = cooperativeSticky.assign(before, sizes);
        for (let generationId = 1; generationId < 4; generationId++) {
          const back = after.map((one) =>
            returning(cooperativeSticky, one, had.get(one.memberId) ?? [], generationId),
          );
          const has = cooperativeSticky.assign(back, sizes);
          for (const { memberId } of back)
            for (const { memberId: other, owned } of back) {
              if (other === memberId) continue;
              const titlesOwned = new Set(owned.map(titleOf));
              for (const one of has.get(memberId) ?? []) expect(titlesOwned).not.toContain(titleOf(one));
            }
          had = has;
        }
        expectEachOnce(had, after, sizes);
      }),
    );
  });

  test('in two rounds a newcomer has its share', () => {
    const all = Array.from({ length: 4 }, (_, partition) => ({ topic: 'a', partition }));
    const first = [returning(cooperativeSticky, member('x', ['a']), all, 1), member('y', ['a'])];
    const revoked = cooperativeSticky.assign(first, counts);
    expect(titles(revoked)).toEqual({ x: ['a-0', 'a-1'], y: [] });
    const second = [
      returning(cooperativeSticky, member('x', ['a']), revoked.get('x') ?? [], 2),
      returning(cooperativeSticky, member('y', ['a']), [], 2),
    ];
    expect(titles(cooperativeSticky.assign(second, counts))).toEqual({
      x: ['a-0', 'a-1'],
      y: ['a-2', 'a-3'],
    });
  });

  test('a generation in the user data counts for members that say it nowhere else', () => {
    const had = [{ topic: 'a', partition: 0 }];
    const old = { owned: had, generationId: -1, userData: new Uint8Array([0, 0, 0, 9]) };
    const newer = member('x', ['a'], old);
    const stale = member('y', ['a'], { owned: had, generationId: 4 });
    expect(titles(cooperativeSticky.assign([newer, stale], new Map([['a', 1]])))).toEqual({
      x: ['a-0'],
      y: [],
    });
  });
});

test('assignors by name, or one’s own', () => {
  expect(assignorsOf(['range', 'cooperative-sticky'])).toEqual([range, cooperativeSticky]);
  const own: Assignor = { ...range, name: 'own' };
  expect(assignorsOf([own])).toEqual([own]);
  expect(() => assignorsOf(['other' as 'range'])).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
  expect(() => assignorsOf([])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(areCooperative([cooperativeSticky])).toBe(true);
  expect(areCooperative([range, cooperativeSticky])).toBe(false);
});
