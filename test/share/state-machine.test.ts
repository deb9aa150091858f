import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { shareRecord } from '../../src/share/records.ts';
import { mergeBatches } from '../../src/share/state-batches.ts';
import { ShareStateMachine, type StateBatch } from '../../src/share/index.ts';
import { initializeShareGroupStateApi } from '../../src/wire/apis/83-initialize-share-group-state.ts';
import { readShareGroupStateApi } from '../../src/wire/apis/84-read-share-group-state.ts';
import { writeShareGroupStateApi } from '../../src/wire/apis/85-write-share-group-state.ts';
import { deleteShareGroupStateApi } from '../../src/wire/apis/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryApi } from '../../src/wire/apis/87-read-share-group-state-summary.ts';
import type { Api } from '../../src/wire/schema.ts';
import { MachineHost } from '../support/machine-host.ts';

const TOPIC = 'topic-one'.padEnd(22, 'A');
const GONE = 'topic-two'.padEnd(22, 'A');
const ACKNOWLEDGED = 2;

class ShareCoordinator extends MachineHost<ShareStateMachine> {
  constructor(updatesPerSnapshot = 500) {
    const isPartition = (topicId: string, partition: number) => topicId === TOPIC && partition < 2;
    super(() => new ShareStateMachine({ updatesPerSnapshot: () => updatesPerSnapshot, isPartition }));
  }

  #ask<R>(api: Api, part: object, topicId = TOPIC): R {
    const body = { groupId: 'g', topics: [{ topicId, partitions: [{ partition: 0, ...part }] }] };
    const answer: unknown = this.ask(api, body as never, { client: 'broker' });
    return (answer as { results: { partitions: R[] }[] }).results[0]?.partitions[0] as R;
  }

  initialize(stateEpoch: number, startOffset: number, topicId = TOPIC) {
    return this.#ask<{ errorCode: number }>(
      initializeShareGroupStateApi,
      { stateEpoch, startOffset },
      topicId,
    );
  }

  read(leaderEpoch = 0) {
    return this.#ask<{
      errorCode: number;
      startOffset: number;
      stateEpoch: number;
      stateBatches: StateBatch[];
    }>(readShareGroupStateApi, { leaderEpoch });
  }

  write(
    part: Partial<{ stateEpoch: number; leaderEpoch: number; startOffset: number; stateBatches: object[] }>,
  ) {
    const whole = {
      stateEpoch: 1,
      leaderEpoch: 0,
      startOffset: -1,
      deliveryCompleteCount: 0,
      stateBatches: [],
    };
    return this.#ask<{ errorCode: number }>(writeShareGroupStateApi, { ...whole, ...part }).errorCode;
  }

  remove() {
    return this.#ask<{ errorCode: number }>(deleteShareGroupStateApi, {}).errorCode;
  }

  summary() {
    return this.#ask<{ startOffset: number; deliveryCompleteCount: number; leaderEpoch: number }>(
      readShareGroupStateSummaryApi,
      { leaderEpoch: -1 },
    );
  }
}

function done(firstOffset: number, lastOffset = firstOffset, deliveryCount = 1) {
  return { firstOffset, lastOffset, deliveryState: ACKNOWLEDGED, deliveryCount };
}

describe('the state of a share partition', () => {
  test('is there once it is made, and stays when that is asked for again', () => {
    const coordinator = new ShareCoordinator();
    expect(coordinator.read().errorCode).toBe(ErrorCode.INVALID_REQUEST);
    expect(coordinator.write({})).toBe(ErrorCode.INVALID_REQUEST);
    expect(coordinator.initialize(1, -1).errorCode).toBe(0);
    expect(coordinator.read()).toMatchObject({ errorCode: 0, startOffset: -1, stateEpoch: 1 });
    coordinator.write({ startOffset: 7, stateBatches: [done(9)] });
    expect(coordinator.initialize(1, -1).errorCode).toBe(0);
    expect(coordinator.initialize(4, -1).errorCode).toBe(0);
    expect(coordinator.read()).toMatchObject({ stateEpoch: 1, startOffset: 7, stateBatches: [done(9)] });
  });

  test('is of partitions that there are', () => {
    expect(new ShareCoordinator().initialize(1, -1, GONE).errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
  });

  test('begins anew where an administrator says so, and fences who knows the old one', () => {
    const coordinator = new ShareCoordinator();
    coordinator.initialize(1, -1);
    coordinator.write({ startOffset: 70, stateBatches: [done(80)] });
    expect(coordinator.initialize(2, 5).errorCode).toBe(0);
    expect(coordinator.write({ startOffset: 90 })).toBe(ErrorCode.FENCED_STATE_EPOCH);
    expect(coordinator.read()).toMatchObject({ stateEpoch: 2, startOffset: 5, stateBatches: [] });
    expect(coordinator.initialize(1, 3).errorCode).toBe(ErrorCode.FENCED_STATE_EPOCH);
  });

  test('is the newest leader alone to change', () => {
    const coordinator = new ShareCoordinator();
    coordinator.initialize(1, 0);
    coordinator.read(3);
    coordinator.reload();
    expect(coordinator.read(2).errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(coordinator.write({ leaderEpoch: 2 })).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(coordinator.write({ leaderEpoch: 3, startOffset: 4 })).toBe(0);
    expect(coordinator.summary()).toMatchObject({ leaderEpoch: 3, startOffset: 4 });
  });

  test('goes with its group, for good', () => {
    const coordinator = new ShareCoordinator();
    coordinator.initialize(1, 0);
    expect(coordinator.remove()).toBe(0);
    expect(coordinator.remove()).toBe(0);
    coordinator.reload();
    expect(coordinator.read().errorCode).toBe(ErrorCode.INVALID_REQUEST);
    expect(coordinator.summary().startOffset).toBe(-1);
  });

  test('survives a restart after every write, whatever of it is a snapshot', () => {
    const batch = fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 2, 4))
      .map(([firstOffset, more, deliveryState]) => ({
        firstOffset,
        lastOffset: firstOffset + more,
        deliveryState,
        deliveryCount: 1 + (more % 3),
      }));
    const write = fc.record({ startOffset: fc.integer({ min: -1, max: 20 }), stateBatches: fc.array(batch) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), fc.integer({ min: 0, max: 4 }), (writes, every) => {
        const coordinator = new ShareCoordinator(every);
        coordinator.initialize(1, 0);
        for (const each of writes) {
          coordinator.write(each);
          const before = coordinator.read();
          coordinator.reload();
          expect(coordinator.read()).toEqual(before);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('of a log that is pruned is all there', () => {
    const coordinator = new ShareCoordinator(2);
    coordinator.initialize(1, 0);
    for (let offset = 1; offset < 20; offset++) coordinator.write({ startOffset: offset });
    const machine = new ShareStateMachine({ updatesPerSnapshot: () => 2, isPartition: () => true });
    for (const [offset, record] of coordinator.log.entries()) machine.apply(record, 0, offset);
    const { prunableBefore } = machine;
    expect(prunableBefore).toBeGreaterThan(10);
    const pruned = new ShareStateMachine({ updatesPerSnapshot: () => 2, isPartition: () => true });
    for (const record of coordinator.log.slice(prunableBefore)) pruned.apply(record, 0, prunableBefore);
    expect([...pruned.snapshot()]).toEqual([...machine.snapshot()]);
  });

  test('that nobody changes is said again, so that the log can be pruned', () => {
    const machine = new ShareStateMachine({ updatesPerSnapshot: () => 500, isPartition: () => true });
    const id = { groupId: 'g', topicId: TOPIC, partition: 0 };
    const value = {
      snapshotEpoch: 3,
      stateEpoch: 1,
      leaderEpoch: 0,
      startOffset: 9,
      deliveryCompleteCount: 0,
      createTimestamp: 0,
      writeTimestamp: 0,
      stateBatches: [],
    };
    machine.apply(shareRecord({ type: 'snapshot', id, value }), 0, 10);
    const other = { ...id, partition: 1 };
    machine.apply(shareRecord({ type: 'snapshot', id: other, value }), 0, 20_000);
    expect(machine.prunableBefore).toBe(10);
    const { records } = machine.tick(machine.wakeAtMs);
    expect(records).toHaveLength(1);
    for (const record of records) machine.apply(record, 0, 20_001);
    expect(machine.prunableBefore).toBe(20_000);
  });
});

test('news is laid over what was known', () => {
  const known = [done(0, 9), done(20, 29)];
  expect(mergeBatches(known, [done(10, 19)], 5)).toEqual([done(5, 29)]);
  expect(mergeBatches(known, [done(5, 24, 2)], 0)).toEqual([done(0, 4), done(5, 24, 2), done(25, 29)]);
  expect(mergeBatches(known, [done(3, 4, 2)], 0)).toEqual([
    done(0, 2),
    done(3, 4, 2),
    done(5, 9),
    done(20, 29),
  ]);
  expect(mergeBatches(known, [], 40)).toEqual([]);
});
