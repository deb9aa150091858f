import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnApi,
} from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import { txnOffsetCommitApi } from '../../src/wire/apis/28-txn-offset-commit.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { printed, replay, type LogEntry } from '../support/machine-host.ts';
import { Coordinator, OTHERS } from './coordinator.ts';
import { MemberClient } from './member.ts';

const TOPIC = 't';
const ONE = { transactionalId: 'one', producerId: 1, producerEpoch: 0 };
const TWO = { transactionalId: 'two', producerId: 2, producerEpoch: 0 };

interface Options {
  version?: number;
  partition?: number;
  /** What the transaction's coordinator says. */
  word?: number;
  member?: { memberId: string; generationIdOrMemberEpoch: number; groupInstanceId?: string | null };
}

class World extends Coordinator {
  /** @returns the error; undefined while it waits for the coordinator's word. */
  send28(producer: typeof ONE, committedOffset: number, options: Options = {}): () => number | undefined {
    const { version = 5, partition = 0, member } = options;
    const partitions = [{ partitionIndex: partition, committedOffset, committedMetadata: '' }];
    const body = { ...producer, ...member, groupId: 'g', topics: [{ name: TOPIC, partitions }] };
    let errorCode: number | undefined;
    this.send(txnOffsetCommitApi, body, { client: 'c', version }, (reply) => {
      errorCode = reply.topics[0]?.partitions[0]?.errorCode;
    });
    return () => errorCode;
  }

  say(word: number): void {
    for (const ask of this.asks.slice()) {
      const { transactions } = ask.body as AddPartitionsToTxnRequest;
      const body: AddPartitionsToTxnResponse = {
        throttleTimeMs: 0,
        errorCode: 0,
        resultsByTopicV3AndBelow: [],
        resultsByTransaction: transactions.map(({ transactionalId, topics }) => ({
          transactionalId,
          topicResults: topics.map(({ name, partitions }) => ({
            name,
            resultsByPartition: partitions.map((partitionIndex) => ({
              partitionIndex,
              partitionErrorCode: word,
            })),
          })),
        })),
      };
      this.answer(ask, { body });
    }
  }

  commit(producer: typeof ONE, offset: number, options: Options = {}): number | undefined {
    const answered = this.send28(producer, offset, options);
    this.say(options.word ?? 0);
    return answered();
  }

  plainCommit(committedOffset: number, partition = 0): void {
    const partitions = [{ partitionIndex: partition, committedOffset, committedMetadata: '' }];
    const topics = [{ name: TOPIC, partitions }];
    this.ask(offsetCommitApi, { groupId: 'g', topics }, { client: 'c', version: 9 });
  }

  /** Offset and error. */
  position({ requireStable = false, partition = 0 } = {}): [number, number] {
    const topics = [{ name: TOPIC, partitionIndexes: [partition] }];
    const body = { requireStable, groups: [{ groupId: 'g', topics }] };
    const { groups } = this.ask(offsetFetchApi, body, { client: 'c', version: 9 });
    const found = groups[0]?.topics[0]?.partitions[0];
    return [found?.committedOffset ?? -1, found?.errorCode ?? -1];
  }

  durable(): { live: string[]; fromLog: string[]; fromSnapshot: string[] } {
    const live = [...this.machine.snapshot()];
    return {
      live: printed(live),
      fromLog: printed(replayed(this.log).snapshot()),
      fromSnapshot: printed(replayed(live).snapshot()),
    };
  }
}

function replayed(entries: Iterable<LogEntry>): GroupMachine {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  replay(machine, entries, 0);
  return machine;
}

const COMMITTED = { committed: true };

describe('positions of a transaction', () => {
  test('count once it is committed', () => {
    const world = new World();
    world.plainCommit(1);
    expect(world.commit(ONE, 5)).toBe(0);
    expect(world.position()).toEqual([1, 0]);
    expect(world.position({ requireStable: true })).toEqual([-1, 88]);
    expect(world.position({ requireStable: true, partition: 1 })).toEqual([-1, 0]);
    world.reload();
    expect(world.position({ requireStable: true })).toEqual([-1, 88]);
    world.mark({ producerId: 1, ...COMMITTED });
    expect(world.position({ requireStable: true })).toEqual([5, 0]);
  });

  test('are forgotten when it is aborted, and leave no group behind', () => {
    const world = new World();
    world.commit(ONE, 5);
    world.mark({ producerId: 1, committed: false });
    expect(world.position({ requireStable: true })).toEqual([-1, 0]);
    expect([...world.machine.groups()]).toEqual([]);
  });

  test('are of no other transaction, and what was said last counts', () => {
    const world = new World();
    world.commit(ONE, 5);
    world.commit(ONE, 6);
    world.commit(TWO, 7, { partition: 1 });
    world.mark({ producerId: 1, ...COMMITTED });
    expect(world.position()).toEqual([6, 0]);
    expect(world.position({ partition: 1, requireStable: true })).toEqual([-1, 88]);
  });

  test('give way to what was committed after them', () => {
    const world = new World();
    world.commit(ONE, 5);
    world.plainCommit(9);
    expect(world.position({ requireStable: true })).toEqual([9, 0]);
    world.mark({ producerId: 1, ...COMMITTED });
    expect(world.position()).toEqual([9, 0]);
  });

  test('of two transactions count in the order of the log, whichever ends first', () => {
    const world = new World();
    world.commit(ONE, 5);
    world.commit(TWO, 7);
    world.mark({ producerId: 2, ...COMMITTED });
    world.mark({ producerId: 1, ...COMMITTED });
    expect(world.position({ requireStable: true })).toEqual([7, 0]);
  });

  test('go with their group', () => {
    const world = new World();
    world.plainCommit(1);
    world.commit(ONE, 5, { partition: 1 });
    world.ask(deleteGroupsApi, { groupsNames: ['g'] }, { client: 'c' });
    world.mark({ producerId: 1, ...COMMITTED });
    expect(world.position({ partition: 1 })).toEqual([-1, 0]);
    expect([...world.machine.snapshot()]).toEqual([]);
  });
});

describe('the coordinator of a transaction', () => {
  test('is asked once a transaction, and adds the partition for a client of v2', () => {
    const world = new World();
    const answered = world.send28(ONE, 5);
    expect(world.asks).toMatchObject([{ shard: 't/0', apiKey: addPartitionsToTxnApi.key, apiVersion: 5 }]);
    expect(world.asks[0]?.body).toEqual({
      transactions: [
        { ...ONE, verifyOnly: false, topics: [{ name: '__consumer_offsets', partitions: [7] }] },
      ],
    });
    expect(answered()).toBeUndefined();
    world.say(0);
    expect(answered()).toBe(0);
    expect(world.send28(ONE, 6)()).toBe(0);
    world.mark({ producerId: 1, ...COMMITTED });
    world.send28(ONE, 7);
    expect(world.asks.length).toBe(1);
  });

  test('only verifies for a client of v1', () => {
    const world = new World();
    world.send28(ONE, 5, { version: 4 });
    expect(world.asks[0]?.body).toMatchObject({ transactions: [{ verifyOnly: true }] });
  });

  test.each([
    [90, 5, 47],
    [120, 4, 120],
    [120, 3, 48],
    [51, 5, 51],
    [49, 5, 49],
  ])('says %i: a client of v%i is told %i', (word, version, told) => {
    const world = new World();
    expect(world.commit(ONE, 5, { word, version })).toBe(told);
    expect(world.log).toEqual([]);
  });

  test('cannot be reached, or is none', () => {
    const world = new World();
    const answered = world.send28(ONE, 5);
    const [ask] = world.asks;
    if (ask) world.answer(ask, { body: undefined, errorCode: 56 });
    expect(answered()).toBe(15);
    expect(world.commit({ ...ONE, transactionalId: 'unknown' }, 5)).toBe(15);
    expect(world.commit({ ...ONE, transactionalId: '' }, 5)).toBe(42);
  });

  test('is asked again where a marker came before its word', () => {
    const world = new World();
    const answered = world.send28(ONE, 5);
    world.mark({ producerId: 1, committed: false });
    world.say(0);
    expect(answered()).toBeUndefined();
    world.say(90);
    expect(answered()).toBe(47);
    expect(world.position({ requireStable: true })).toEqual([-1, 0]);
  });
});

describe('a member that commits in a transaction (KIP-447)', () => {
  const witness = { assigned: () => {}, committed: () => {} };

  function joined(): { world: World; member: { memberId: string; generationIdOrMemberEpoch: number } } {
    const world = new World();
    const client = new MemberClient('c0', 1, { coordinator: world, witness, isStatic: false });
    while (client.phase !== 'in') client.step();
    return { world, member: { memberId: client.memberId, generationIdOrMemberEpoch: client.generationId } };
  }

  test('is one of the present generation', () => {
    const { world, member } = joined();
    expect(world.commit(ONE, 5, { member })).toBe(0);
    expect(world.commit(ONE, 5, { member: { ...member, memberId: 'other' } })).toBe(25);
    expect(world.commit(ONE, 5, { member: { ...member, generationIdOrMemberEpoch: 9 } })).toBe(22);
    expect(world.commit(ONE, 5, { member: { ...member, groupInstanceId: 'other' } })).toBe(25);
  });

  test('or does not say who it is', () => {
    const { world } = joined();
    expect(world.commit(ONE, 5)).toBe(0);
    expect(world.commit(ONE, 5, { version: 2 })).toBe(0);
  });

  test('must still be one when the coordinator of the transaction has spoken', () => {
    const { world, member } = joined();
    const answered = world.send28(ONE, 5, { member });
    world.pass(world.nowMs + 3_600_000);
    world.say(0);
    expect(answered()).toBe(22);
  });

  test('of a group that is not there', () => {
    const world = new World();
    expect(world.commit(ONE, 5, { member: { memberId: 'm', generationIdOrMemberEpoch: 3 } })).toBe(22);
  });
});

const producer = fc.constantFrom(ONE, TWO);
const step = fc.oneof(
  fc.tuple(producer, fc.nat(100), fc.nat(1)).map(([who, offset, partition]) => (world: World) => {
    world.commit(who, offset, { partition });
  }),
  fc.tuple(producer, fc.boolean()).map(([{ producerId }, committed]) => (world: World) => {
    world.mark({ producerId, committed });
  }),
  fc.tuple(fc.nat(100), fc.nat(1)).map(
    ([offset, partition]) =>
      (world: World) =>
        world.plainCommit(offset, partition),
  ),
  fc.constant((world: World) => world.reload()),
  fc.constant((world: World) => void world.ask(deleteGroupsApi, { groupsNames: ['g'] }, { client: 'c' })),
);

test('the log and a snapshot give the same positions, and once all transactions have ended none is unstable', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const act of steps) {
        act(world);
        const { live, fromLog, fromSnapshot } = world.durable();
        expect(fromLog).toEqual(live);
        expect(fromSnapshot).toEqual(live);
      }
      for (const { producerId } of [ONE, TWO]) world.mark({ producerId, committed: true });
      for (const partition of [0, 1]) expect(world.position({ requireStable: true, partition })[1]).toBe(0);
    }),
    { numRuns: 300 },
  );
});
