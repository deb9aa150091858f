import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import {
  type Acquired,
  AcknowledgeType,
  AcquireMode,
  DeliveryState,
  SharePartition,
} from '../../src/share/index.ts';
import { type Make, ShareWorld } from './share-world.ts';

const { ACCEPT, RELEASE, REJECT, RENEW, GAP } = AcknowledgeType;
const MEMBERS = ['a', 'b', 'c'];

type Step = (world: ShareWorld) => void;

const member = fc.constantFrom(...MEMBERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        count: fc.integer({ min: 1, max: 8 }),
        isSkipped: fc.boolean(),
        gap: fc.constantFrom(0, 0, 0, 3),
      })
      .map(
        ({ count, ...rest }) =>
          (world: ShareWorld) =>
            world.append(count, rest),
      ),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        memberId: member,
        maxRecords: fc.integer({ min: 1, max: 12 }),
        acquireMode: fc.constantFrom(0, 1),
        batches: fc.integer({ min: 1, max: 4 }),
      })
      .map(
        ({ memberId, ...wanted }) =>
          (world: ShareWorld) =>
            void world.acquire(memberId, wanted),
      ),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        memberId: member,
        types: fc.array(fc.integer({ min: GAP, max: RENEW }), { minLength: 1, maxLength: 6 }),
        skip: fc.integer({ min: 0, max: 5 }),
        isForeign: fc.boolean(),
      })
      .map(({ memberId, types, skip, isForeign }) => (world: ShareWorld) => {
        // Some ask for what is another's, or nobody's.
        const held = isForeign ? [...world.fates.keys()] : world.held(memberId);
        const first = held[skip];
        if (first === undefined) return;
        const run = types.filter((_, at) => held[skip + at] === first + at);
        const batch = { firstOffset: first, lastOffset: first + run.length - 1, acknowledgeTypes: run };
        world.acknowledge(memberId, [batch]);
      }),
  },
  { weight: 1, arbitrary: member.map((memberId) => (world: ShareWorld) => world.leave(memberId)) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 900 }).map((ms) => (world: ShareWorld) => world.sleep(ms)),
  },
  { weight: 3, arbitrary: fc.constant((world: ShareWorld) => world.store()) },
  { weight: 1, arbitrary: fc.constant((world: ShareWorld) => world.crash()) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 60 }).map((offset) => (world: ShareWorld) => world.trim(offset)),
  },
);

function run(make: Make, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const world = new ShareWorld(make);
      for (const each of steps) each(world);
      world.finish();
    }),
    { numRuns, seed: 7 },
  );
}

/** Planted: what one member has, another is given too. */
class DoubleAcquisition extends SharePartition {
  #last: Acquired | undefined;

  override acquire(...[offer, nowMs]: Parameters<SharePartition['acquire']>): Acquired[] {
    const acquired = super.acquire(offer, nowMs);
    const again = this.#last;
    this.#last = acquired[0];
    const isHeld = this.inFlight.some(
      ({ state, firstOffset, memberId }) =>
        state === DeliveryState.ACQUIRED && memberId !== offer.memberId && firstOffset === again?.firstOffset,
    );
    return again !== undefined && isHeld ? [again, ...acquired] : acquired;
  }
}

/** Planted: an acknowledgement reaches the next record, too. */
class SkipsOne extends SharePartition {
  override acknowledge(...[memberId, batches, nowMs]: Parameters<SharePartition['acknowledge']>): number {
    const wider = batches.map((batch) =>
      batch.acknowledgeTypes.length === 1 ? { ...batch, lastOffset: batch.lastOffset + 1 } : batch,
    );
    const errorCode = super.acknowledge(memberId, wider, nowMs);
    return errorCode === 0 ? 0 : super.acknowledge(memberId, batches, nowMs);
  }
}

/** Planted: what was settled is not stored. */
class ForgetsBatches extends SharePartition {
  override takeWrite() {
    const write = super.takeWrite();
    return write && { ...write, stateBatches: [] };
  }
}

describe('whatever members do, and whenever it crashes', () => {
  test('a record has one owner, is delivered a few times at most, and is done in the end, once', () => {
    expect(() => run((...options) => new SharePartition(...options), 600)).not.toThrow('Property failed');
  });

  test.each([
    ['a double acquisition of a share record', DoubleAcquisition],
    ['an acknowledgement that reaches too far', SkipsOne],
    ['a state that is not stored', ForgetsBatches],
  ])('%s is found', (_, Planted) => {
    expect(() => run((...options) => new Planted(...options), 600)).toThrow('Property failed');
  });
});

describe('a share partition', () => {
  const accept = (acquired: readonly Acquired[]) =>
    acquired.map((batch) => ({ ...batch, acknowledgeTypes: [ACCEPT] }));

  test('gives batches whole, or no more records than were asked for', () => {
    const world = new ShareWorld();
    world.append(5);
    world.append(5);
    expect(world.acquire('a', { maxRecords: 3 })).toEqual([
      { firstOffset: 0, lastOffset: 4, deliveryCount: 1 },
    ]);
    const wanted = { maxRecords: 3, acquireMode: AcquireMode.RECORD_LIMIT };
    expect(world.acquire('b', wanted)).toEqual([{ firstOffset: 5, lastOffset: 7, deliveryCount: 1 }]);
    expect(world.acquire('c')).toEqual([{ firstOffset: 8, lastOffset: 9, deliveryCount: 1 }]);
  });

  test('passes over markers and what was compacted away', () => {
    const world = new ShareWorld();
    world.append(2);
    world.append(1, { isSkipped: true });
    world.append(2, { gap: 3 });
    expect(world.acquire('a')).toEqual([
      { firstOffset: 0, lastOffset: 1, deliveryCount: 1 },
      { firstOffset: 6, lastOffset: 7, deliveryCount: 1 },
    ]);
    world.acknowledge('a', [{ firstOffset: 0, lastOffset: 1, acknowledgeTypes: [ACCEPT] }]);
    expect(world.partition.startOffset).toBe(6);
  });

  test('gives again what is released, and gives up what is released too often', () => {
    const world = new ShareWorld();
    world.append(1);
    for (const deliveryCount of [1, 2, 3]) {
      expect(world.acquire('a')).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount }]);
      world.acknowledge('a', [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [RELEASE] }]);
    }
    expect(world.acquire('a')).toEqual([]);
    expect(world.partition.startOffset).toBe(1);
  });

  test('gives what failed often by itself, and ever less of it: a bad record does not take others with it', () => {
    const world = new ShareWorld();
    world.config.deliveryCountLimit = 6;
    const given: number[][] = [];
    const failing = () => {
      const acquired = world.acquire('a');
      given.push(acquired.map(({ firstOffset, lastOffset }) => lastOffset - firstOffset + 1));
      world.acknowledge(
        'a',
        acquired.map((each) => ({ ...each, acknowledgeTypes: [RELEASE] })),
      );
      return acquired;
    };
    world.append(8);
    for (let time = 0; time < 3; time++) failing();
    world.append(1);
    // Three times all of them; then half of those that failed as often as each other; the last time each alone.
    expect(failing()).toEqual([{ firstOffset: 0, lastOffset: 3, deliveryCount: 4 }]);
    expect(failing()).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount: 5 }]);
    expect(failing()).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount: 6 }]);
    expect(world.partition.startOffset).toBe(1);
    expect(given).toEqual([[8], [8], [8], [4], [1], [1]]);
  });

  test('gives nothing that failed often behind what did not', () => {
    const world = new ShareWorld();
    world.config.deliveryCountLimit = 4;
    const release = (memberId: string, firstOffset: number, lastOffset: number) =>
      world.acknowledge(memberId, [{ firstOffset, lastOffset, acknowledgeTypes: [RELEASE] }]);
    world.append(3);
    world.acquire('a');
    release('a', 1, 2);
    world.acquire('b');
    release('b', 1, 2);
    release('a', 0, 0);
    expect(world.acquire('c')).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount: 2 }]);
    expect(world.acquire('d')).toEqual([{ firstOffset: 1, lastOffset: 1, deliveryCount: 3 }]);
  });

  test('takes back what is not acknowledged in time, unless it is renewed', () => {
    const world = new ShareWorld();
    world.append(2);
    world.acquire('a');
    world.sleep(900);
    expect(world.acknowledge('a', [{ firstOffset: 1, lastOffset: 1, acknowledgeTypes: [RENEW] }])).toBe(0);
    world.sleep(200);
    expect(world.acquire('b')).toEqual([{ firstOffset: 0, lastOffset: 0, deliveryCount: 2 }]);
    const late = [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [ACCEPT] }];
    expect(world.acknowledge('a', late)).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(world.acknowledge('a', [{ firstOffset: 1, lastOffset: 1, acknowledgeTypes: [ACCEPT] }])).toBe(0);
  });

  test('renews nothing where that is forbidden', () => {
    const world = new ShareWorld();
    world.config.renewAcknowledgeEnable = false;
    world.append(1);
    world.acquire('a');
    const renewed = [{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [RENEW] }];
    expect(world.partition.acknowledge('a', renewed, 0)).toBe(ErrorCode.INVALID_RECORD_STATE);
  });

  test('takes all that a request says, or nothing', () => {
    const world = new ShareWorld();
    world.append(2);
    world.append(2);
    world.acquire('a', { batches: 1 });
    world.acquire('b');
    const both = [
      { firstOffset: 0, lastOffset: 1, acknowledgeTypes: [ACCEPT] },
      { firstOffset: 2, lastOffset: 3, acknowledgeTypes: [ACCEPT] },
    ];
    expect(world.acknowledge('a', both)).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(world.held('a')).toEqual([0, 1]);
    const beyond = [{ firstOffset: 2, lastOffset: 9, acknowledgeTypes: [ACCEPT] }];
    expect(world.acknowledge('b', beyond)).toBe(ErrorCode.INVALID_RECORD_STATE);
  });

  test('lets no more be in delivery than is allowed', () => {
    const world = new ShareWorld();
    for (let batch = 0; batch < 20; batch++) world.append(5);
    const first = world.acquire('a');
    expect(first).toEqual([{ firstOffset: 0, lastOffset: 39, deliveryCount: 1 }]);
    expect(world.acquire('b')).toEqual([]);
    world.acknowledge('a', [{ firstOffset: 0, lastOffset: 4, acknowledgeTypes: [REJECT] }]);
    expect(world.acquire('b')).toEqual([{ firstOffset: 40, lastOffset: 44, deliveryCount: 1 }]);
  });

  test('stores its start alone where all is done in order', () => {
    const world = new ShareWorld();
    for (let batch = 0; batch < 3; batch++) world.append(5);
    world.acknowledge('a', accept(world.acquire('a')));
    expect(world.partition.takeWrite()).toEqual({
      startOffset: 15,
      deliveryCompleteCount: 0,
      stateBatches: [],
    });
    expect(world.partition.takeWrite()).toBeUndefined();
  });
});
