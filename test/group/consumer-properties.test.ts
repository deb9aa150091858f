import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import type { MachineRecord } from '../../src/model/machine.ts';
import { ConsumerClient, describeGroup, HEARTBEAT_MS, REBALANCE_MS, SESSION_MS } from './consumer-client.ts';
import { Coordinator, OTHERS } from './coordinator.ts';

const DAY_MS = 86_400_000;

/** A group of KIP-848 with clients that come, go, crash and lose answers, and what must be true of all they read. */
class World {
  readonly coordinator: Coordinator;
  readonly clients: ConsumerClient[];

  constructor(dynamicCount: number, staticCount: number, consumerAssignmentIntervalMs: number) {
    this.coordinator = new Coordinator({ consumerAssignmentIntervalMs });
    this.coordinator.topics.set('t', 5);
    this.coordinator.topics.set('u', 2);
    this.clients = Array.from({ length: dynamicCount + staticCount }, (_, index) => {
      const isStatic = index >= dynamicCount;
      const name = `c${index}`;
      const named = isStatic ? { instanceId: `instance-${name}` } : {};
      const range = index % 3 === 2 ? { assignor: 'range' } : {};
      const { coordinator } = this;
      return new ConsumerClient({
        coordinator,
        name,
        topics: index % 4 === 3 ? ['u'] : ['t', 'u'],
        ...named,
        ...range,
      });
    });
  }

  /** What is read by two members of the group at once. */
  get readTwice(): string[] {
    const known = new Set(this.#members().map(({ memberId }) => memberId));
    const titles = this.clients.flatMap(({ memberId, owned }) => (known.has(memberId) ? [...owned] : []));
    return titles.filter((title, index) => titles.indexOf(title) !== index);
  }

  /** What the coordinator has given to two. */
  get givenTwice(): string[] {
    const titles = this.#members().flatMap(({ assignment }) =>
      assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
        partitions.map((one) => `${topicId}/${one}`),
      ),
    );
    return titles.filter((title, index) => titles.indexOf(title) !== index);
  }

  /** All partitions of topics that are there and that someone wants. */
  get wanted(): string[] {
    const names = new Set(this.clients.flatMap(({ topics }) => topics));
    return [...names]
      .flatMap((name) => this.coordinator.topics.topic(name) ?? [])
      .flatMap(({ id, partitions: { length } }) => Array.from({ length }, (_, index) => `${id}/${index}`))
      .sort();
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

  #members() {
    return describeGroup(this.coordinator).members;
  }
}

function replayed(records: Iterable<MachineRecord>, nowMs: number): GroupMachine {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  for (const record of records) machine.apply(record, nowMs);
  return machine;
}

/** Records of one key may stand anywhere. */
function printed(records: Iterable<MachineRecord>): string[] {
  const hex = (part: Uint8Array | null) => (part === null ? '-' : Buffer.from(part).toString('hex'));
  return [...records].map(({ key, value }) => `${hex(key)} ${hex(value)}`).sort();
}

type Action = (world: World) => void;

function on(act: (client: ConsumerClient, world: World) => void): fc.Arbitrary<Action> {
  return fc.nat(9).map((index) => (world: World) => {
    const client = world.clients[index % world.clients.length];
    if (client) act(client, world);
  });
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 16, arbitrary: on((client) => client.beat()) },
  { weight: 3, arbitrary: on((client) => client.lose()) },
  { weight: 3, arbitrary: on((client) => client.retry()) },
  { weight: 1, arbitrary: on((client) => client.leave()) },
  { weight: 1, arbitrary: on((client) => client.leave(-2)) },
  { weight: 1, arbitrary: on((client) => client.restart()) },
  { weight: 1, arbitrary: on((client) => client.abandon()) },
  {
    weight: 2,
    arbitrary: on((client) => {
      client.topics = client.topics.length === 2 ? ['u'] : ['t', 'u'];
      client.retry();
    }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 8 }).map((count) => ({ coordinator: { topics } }: World) => {
      topics.set('t', Math.max(count, topics.topic('t')?.partitions.length ?? 0));
    }),
  },
  { weight: 1, arbitrary: fc.constant(({ coordinator }: World) => coordinator.topics.delete('u')) },
  { weight: 1, arbitrary: fc.constant(({ coordinator }: World) => void coordinator.topics.set('u', 3)) },
  {
    weight: 4,
    arbitrary: fc.nat(REBALANCE_MS).map((ms) => ({ coordinator }: World) => {
      coordinator.pass(coordinator.nowMs + ms);
    }),
  },
  { weight: 1, arbitrary: fc.constant(({ coordinator }: World) => coordinator.reload()) },
);

const someWorld = fc
  .record({
    dynamic: fc.integer({ min: 1, max: 4 }),
    fixed: fc.nat(2),
    intervalMs: fc.constantFrom(0, 1_000),
  })
  .map(
    ({ dynamic, fixed, intervalMs }) =>
      () =>
        new World(dynamic, fixed, intervalMs),
  );

const RUNS = { numRuns: 300 };
const schedule = (maxLength: number) => fc.array(action, { maxLength, size: 'max' });

test('no partition is read by two members at once, and a restart equals no restart', () => {
  fc.assert(
    fc.property(someWorld, schedule(120), (create, actions) => {
      const world = create();
      for (const act of actions) {
        act(world);
        expect(world.readTwice).toEqual([]);
        expect(world.givenTwice).toEqual([]);
      }
      const { live, fromLog, fromSnapshot } = world.durable();
      expect(fromLog).toEqual(live);
      expect(fromSnapshot).toEqual(live);
    }),
    RUNS,
  );
});

test('whatever happened, in the end every wanted partition has one reader, and the group is stable', () => {
  fc.assert(
    fc.property(someWorld, schedule(80), (create, actions) => {
      const world = create();
      const { coordinator, clients } = world;
      for (const act of actions) act(world);
      // Who went without a word is out after its session; each round settles at least one member.
      const untilMs = coordinator.nowMs + SESSION_MS + REBALANCE_MS + 8 * HEARTBEAT_MS;
      while (coordinator.nowMs < untilMs) {
        for (const client of clients) client.beat();
        expect(world.readTwice).toEqual([]);
        coordinator.pass(coordinator.nowMs + HEARTBEAT_MS);
      }
      const group = describeGroup(coordinator);
      expect(group).toMatchObject({ groupState: 'Stable', errorCode: 0 });
      expect(group.members.map(({ memberId }) => memberId).sort()).toEqual(
        clients.map(({ memberId }) => memberId).sort(),
      );
      expect(clients.flatMap(({ reads }) => reads).sort()).toEqual(world.wanted);
    }),
    RUNS,
  );
});

test('a group that everyone has left is forgotten, and the machine sleeps', () => {
  fc.assert(
    fc.property(someWorld, schedule(60), (create, actions) => {
      const world = create();
      const { coordinator } = world;
      for (const act of actions) act(world);
      coordinator.pass(coordinator.nowMs + 30 * DAY_MS);
      expect(describeGroup(coordinator).errorCode).toBe(69);
      expect([...coordinator.machine.snapshot()]).toEqual([]);
      expect([...replayed(coordinator.log, 0).snapshot()]).toEqual([]);
      expect(coordinator.machine.wakeAtMs).toBe(Infinity);
    }),
    RUNS,
  );
});
