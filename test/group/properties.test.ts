import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import type { MachineRecord } from '../../src/model/machine.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { Coordinator, OTHERS } from './coordinator.ts';
import { printed } from '../support/machine-host.ts';
import { MemberClient, REBALANCE_MS, SESSION_MS, type Witness } from './member.ts';

const PARTITIONS = [0, 1];
const DAY_MS = 86_400_000;

/** A group of clients, and what must be true of all they saw. */
class World {
  readonly coordinator: Coordinator;
  readonly clients: MemberClient[] = [];
  readonly #numberOf = new Map<number, string>();
  readonly #committed = new Map<number, number>();
  #links = 100;

  constructor(dynamicCount: number, staticCount: number, groupInitialRebalanceDelayMs: number) {
    this.coordinator = new Coordinator({ groupInitialRebalanceDelayMs });
    const witness: Witness = {
      assigned: (generationId, assignment) => this.#assigned(generationId, assignment),
      committed: (partition, offset) => this.#committed.set(partition, offset),
    };
    for (let index = 0; index < dynamicCount + staticCount; index++) {
      const options = { coordinator: this.coordinator, witness, isStatic: index >= dynamicCount };
      this.clients.push(new MemberClient(`c${index}`, index, options));
    }
  }

  newLink(): number {
    return ++this.#links;
  }

  /** I10: what members of one generation own comes from one assignment; generations for which it did not. */
  readonly torn: number[] = [];

  #assigned(generationId: number, assignment: string): void {
    if (assignment === '') return;
    if ((this.#numberOf.get(generationId) ?? assignment) !== assignment) this.torn.push(generationId);
    this.#numberOf.set(generationId, assignment);
  }

  positionsFetched(): number[] | undefined {
    const topics = [{ name: 't', partitionIndexes: PARTITIONS }];
    const asked = { groups: [{ groupId: 'g', topics }] };
    const { groups } = this.coordinator.ask(offsetFetchApi, asked, { client: 'admin', version: 9 });
    return groups[0]?.topics[0]?.partitions.map(({ committedOffset }) => committedOffset);
  }

  positionsCommitted(): number[] {
    return PARTITIONS.map((partition) => this.#committed.get(partition) ?? -1);
  }

  /** I15: what is there, what reading the log gives, and what reading a snapshot gives. */
  durable(): { live: string[]; fromLog: string[]; fromSnapshot: string[] } {
    const live = [...this.coordinator.machine.snapshot()];
    const { log, nowMs } = this.coordinator;
    return {
      live: printed(live),
      fromLog: printed(replayed(log, nowMs).snapshot()),
      fromSnapshot: printed(replayed(live, nowMs).snapshot()),
    };
  }

  state(): string | undefined {
    const asked = { groups: ['g'] };
    return this.coordinator.ask(describeGroupsApi, asked, { client: 'admin', version: 5 }).groups[0]
      ?.groupState;
  }
}

function replayed(records: Iterable<MachineRecord>, nowMs: number): GroupMachine {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  for (const record of records) machine.apply(record, nowMs);
  return machine;
}

type Action = (world: World) => void;

function on(act: (client: MemberClient, world: World) => void): fc.Arbitrary<Action> {
  return fc.nat(9).map((index) => (world: World) => {
    const client = world.clients[index % world.clients.length];
    if (client) act(client, world);
  });
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: on((client) => client.step()) },
  { weight: 2, arbitrary: on((client) => client.join()) },
  { weight: 1, arbitrary: on((client) => client.sync()) },
  { weight: 1, arbitrary: on((client) => client.leave()) },
  { weight: 1, arbitrary: on((client, world) => client.disconnect(world.newLink())) },
  { weight: 1, arbitrary: on((client, world) => client.restart(world.newLink())) },
  { weight: 1, arbitrary: on((client) => (client.topics = client.topics === 't1' ? 't2' : 't1')) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(9), fc.nat(PARTITIONS.length - 1), fc.nat(1000))
      .map(([index, partition, offset]) => (world: World) => {
        world.clients[index % world.clients.length]?.commit(partition, offset);
      }),
  },
  {
    weight: 3,
    arbitrary: fc.nat(SESSION_MS).map((ms) => (world: World) => {
      world.coordinator.pass(world.coordinator.nowMs + ms);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant((world: World) => {
      world.coordinator.reload();
      for (const client of world.clients) client.disconnect(world.newLink());
    }),
  },
);

const someWorld = fc
  .record({ dynamic: fc.integer({ min: 1, max: 3 }), fixed: fc.nat(2), delayMs: fc.constantFrom(0, 3_000) })
  .map(
    ({ dynamic, fixed, delayMs }) =>
      () =>
        new World(dynamic, fixed, delayMs),
  );

const RUNS = { numRuns: 300 };

test('members of a generation share one assignment, and positions are what was last committed', () => {
  fc.assert(
    fc.property(someWorld, fc.array(action, { maxLength: 120, size: 'max' }), (create, actions) => {
      const world = create();
      for (const act of actions) {
        act(world);
        expect(world.positionsFetched()).toEqual(world.positionsCommitted());
      }
      expect(world.torn).toEqual([]);
      const { live, fromLog, fromSnapshot } = world.durable();
      expect(fromLog).toEqual(live);
      expect(fromSnapshot).toEqual(live);
    }),
    RUNS,
  );
});

test('whatever happened, members without faults become stable within two rebalance timeouts (I11)', () => {
  fc.assert(
    fc.property(someWorld, fc.array(action, { maxLength: 80, size: 'max' }), (create, actions) => {
      const world = create();
      for (const act of actions) act(world);
      const untilMs = world.coordinator.nowMs + 2 * REBALANCE_MS;
      while (world.coordinator.nowMs < untilMs) {
        for (const client of world.clients) client.step();
        world.coordinator.pass(world.coordinator.nowMs + 1_000);
      }
      expect(world.state()).toBe('Stable');
      expect(world.clients.map(({ phase }) => phase)).toEqual(world.clients.map(() => 'in'));
      expect(new Set(world.clients.map(({ generationId }) => generationId)).size).toBe(1);
      expect(world.torn).toEqual([]);
    }),
    RUNS,
  );
});

test('a group that everyone has left is forgotten, and the machine sleeps', () => {
  fc.assert(
    fc.property(someWorld, fc.array(action, { maxLength: 60, size: 'max' }), (create, actions) => {
      const world = create();
      for (const act of actions) act(world);
      world.coordinator.pass(world.coordinator.nowMs + 30 * DAY_MS);
      expect(world.state()).toBe('Dead');
      expect([...world.coordinator.machine.snapshot()]).toEqual([]);
      expect([...replayed(world.coordinator.log, 0).snapshot()]).toEqual([]);
      expect(world.coordinator.machine.wakeAtMs).toBe(Infinity);
    }),
    RUNS,
  );
});
