import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simple } from '../../src/group/assignors/simple.ts';
import type { AssignedMember } from '../../src/group/assignors/assignor.ts';
import { decodeRecord } from '../../src/group/records.ts';
import { GroupMachine } from '../../src/group/index.ts';
import type { Ask, MachineRecord } from '../../src/model/machine.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { shareGroupDescribeApi } from '../../src/wire/apis/77-share-group-describe.ts';
import { alterShareGroupOffsetsApi } from '../../src/wire/apis/91-alter-share-group-offsets.ts';
import { MachineHost, printed } from '../support/machine-host.ts';
import { OTHERS } from './coordinator.ts';
import { FakeTopics } from './fake-topics.ts';

const SESSION_MS = 45_000;

interface StateBody {
  topics: {
    topicId: string;
    partitions: { partition: number; stateEpoch?: number; startOffset?: number }[];
  }[];
}

/** The coordinator of share groups, with share coordinators that do what they are asked. */
class ShareGroups extends MachineHost<GroupMachine> {
  readonly topics: FakeTopics;
  /** All that was asked of share coordinators. */
  readonly asked: { apiKey: number; topicId: string; partition: number; stateEpoch: number | undefined }[] =
    [];

  constructor({ intervalMs = 0, maxSize = 200 } = {}) {
    const topics = new FakeTopics();
    super(
      () =>
        new GroupMachine({
          ...OTHERS,
          id: () => 'none',
          config: { shareAssignmentIntervalMs: intervalMs, shareMaxSize: maxSize },
          cluster: topics,
          shareCoordinator: ({ partition }) => `s/${partition % 2}`,
        }),
    );
    this.topics = topics;
  }

  beat(memberId: string, memberEpoch: number, topics: string[] | null = null, groupId = 'g') {
    const body = { groupId, memberId, memberEpoch, subscribedTopicNames: topics };
    return this.ask(shareGroupHeartbeatApi, body, { client: memberId });
  }

  /** Share coordinators answer all that they were asked. */
  settle(errorCode = 0): void {
    for (const ask of this.asks.slice()) this.#settle(ask, errorCode);
  }

  #settle(ask: Ask, errorCode: number): void {
    const { topics } = ask.body as StateBody;
    const results = topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partition, stateEpoch }) => {
        this.asked.push({ apiKey: ask.apiKey, topicId, partition, stateEpoch });
        return { partition, errorCode, errorMessage: null };
      }),
    }));
    this.answer(ask, { body: { results } });
  }

  describe(groupId = 'g') {
    const body = { groupIds: [groupId], includeAuthorizedOperations: false };
    return this.ask(shareGroupDescribeApi, body, { client: 'admin' }).groups[0];
  }
}

describe('a share group', () => {
  test('gives several members the same partition', () => {
    const groups = new ShareGroups();
    const id = groups.topics.set('t', 1);
    const assignment = { topicPartitions: [{ topicId: id, partitions: [0] }] };
    expect(groups.beat('a', 0, ['t'])).toMatchObject({ errorCode: 0, memberEpoch: 1, assignment });
    expect(groups.beat('b', 0, ['t'])).toMatchObject({ errorCode: 0, memberEpoch: 2, assignment });
    expect(groups.beat('a', 1)).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(groups.describe()).toMatchObject({ groupState: 'Stable', groupEpoch: 2, assignorName: 'simple' });
  });

  test('has states made for its partitions, once, and is not held up by that', () => {
    const groups = new ShareGroups();
    const id = groups.topics.set('t', 3);
    groups.beat('a', 0, ['t']);
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(2);
    groups.settle();
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(0);
    expect(groups.asked.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    const states = groups.log
      .map((record) => decodeRecord(record))
      .findLast((read) => read?.type === 'shareStates');
    expect(states).toMatchObject({
      value: { initializedTopics: [{ topicId: id, topicName: 't', partitions: [0, 1, 2] }] },
    });
    groups.topics.set('t', 4);
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(1);
  });

  test('asks again for a state that could not be made, and after a crash', () => {
    const groups = new ShareGroups();
    groups.topics.set('t', 1);
    groups.beat('a', 0, ['t']);
    groups.settle(15);
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(1);
    groups.reload();
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(1);
    groups.settle();
    groups.reload();
    groups.beat('a', 1);
    expect(groups.asks).toHaveLength(0);
  });

  test('gives up who says nothing, and fences who is behind', () => {
    const groups = new ShareGroups();
    groups.topics.set('t', 1);
    groups.beat('a', 0, ['t']);
    groups.beat('b', 0, ['t']);
    groups.pass(SESSION_MS - 1);
    groups.beat('b', 2);
    groups.pass(SESSION_MS + 1);
    expect(groups.describe()?.members.map(({ memberId }) => memberId)).toEqual(['b']);
    expect(groups.beat('a', 1).errorCode).toBe(25);
    expect(groups.beat('b', 9).errorCode).toBe(110);
  });

  test('has as many members as are allowed', () => {
    const groups = new ShareGroups({ maxSize: 1 });
    groups.beat('a', 0, ['t']);
    expect(groups.beat('b', 0, ['t']).errorCode).toBe(81);
    expect(groups.beat('a', 0, ['t']).errorCode).toBe(0);
  });

  test('moves under a new epoch, once it is empty', () => {
    const groups = new ShareGroups();
    groups.topics.set('t', 1);
    groups.beat('a', 0, ['t']);
    groups.settle();
    const topics = [
      {
        topicName: 't',
        partitions: [
          { partitionIndex: 0, startOffset: 7 },
          { partitionIndex: 9, startOffset: 7 },
        ],
      },
    ];
    const alter = (take: (reply: { errorCode: number; responses: unknown[] }) => void) =>
      groups.send(alterShareGroupOffsetsApi, { groupId: 'g', topics }, { client: 'admin' }, take);
    alter(({ errorCode }) => expect(errorCode).toBe(68));
    groups.beat('a', -1);
    const answered: unknown[] = [];
    alter(({ responses }) => answered.push(...responses));
    expect(answered).toEqual([]);
    groups.settle();
    expect(groups.asked.at(-1)).toMatchObject({ stateEpoch: groups.describe()?.groupEpoch });
    expect(answered).toMatchObject([
      {
        partitions: [
          { partitionIndex: 0, errorCode: 0 },
          { partitionIndex: 9, errorCode: 3 },
        ],
      },
    ]);
  });

  test('is deleted once its states are', () => {
    const groups = new ShareGroups();
    groups.topics.set('t', 1);
    groups.beat('a', 0, ['t']);
    groups.settle();
    groups.beat('a', -1);
    let code: number | undefined;
    groups.send(deleteGroupsApi, { groupsNames: ['g'] }, { client: 'admin' }, ({ results }) => {
      code = results[0]?.errorCode;
    });
    expect(code).toBeUndefined();
    expect(groups.describe()?.errorCode).toBe(0);
    groups.settle();
    expect(code).toBe(0);
    expect(groups.describe()?.errorCode).toBe(69);
    expect([...groups.machine.snapshot()]).toEqual([]);
    const listed = groups.ask(listGroupsApi, { statesFilter: [], typesFilter: [] }, { client: 'admin' });
    expect(listed.groups).toEqual([]);
  });

  test('is the same after a restart, whatever its members did', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('join' as const), name: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ type: fc.constant('beat' as const), name: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ type: fc.constant('leave' as const), name: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ type: fc.constant('grow' as const), name: fc.constant('') }),
      fc.record({ type: fc.constant('settle' as const), name: fc.constant('') }),
      fc.record({ type: fc.constant('sleep' as const), name: fc.constant('') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const groups = new ShareGroups({ intervalMs: 1_000 });
        let partitions = 1;
        groups.topics.set('t', partitions);
        const epochs = new Map<string, number>();
        for (const { type, name } of steps) {
          if (type === 'grow') groups.topics.set('t', ++partitions);
          else if (type === 'settle') groups.settle();
          else if (type === 'sleep') groups.pass(groups.nowMs + 20_000);
          else {
            const epoch = { join: 0, beat: epochs.get(name) ?? 0, leave: -1 }[type];
            const { errorCode, memberEpoch } = groups.beat(name, epoch, epoch === 0 ? ['t'] : null);
            epochs.set(name, errorCode === 0 && memberEpoch > 0 ? memberEpoch : 0);
          }
        }
        const live = printed(groups.machine.snapshot());
        const log: MachineRecord[] = [...groups.log];
        groups.reload(log);
        expect(printed(groups.machine.snapshot())).toEqual(live);
      }),
      { numRuns: 200 },
    );
  });
});

test('every member has a partition, every partition a member, and none has two more than another', () => {
  const world = fc.record({
    members: fc.integer({ min: 1, max: 9 }),
    partitions: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(world, ({ members, partitions }) => {
      const all = Array.from({ length: members }, (_, at): AssignedMember => ({
        memberId: `m${at}`,
        instanceId: null,
        topics: new Set(['t']),
        had: new Map(),
      }));
      const targets = [...simple(all, new Map([['t', partitions]])).values()];
      const sizes = targets.map((target) => target.get('t')?.size ?? 0);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(2);
      const given = new Set(targets.flatMap((target) => [...(target.get('t') ?? [])]));
      expect(given.size).toBe(partitions);
    }),
  );
});
