import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MachineRecord } from '../../src/model/machine.ts';
import { TxnMachine } from '../../src/txn/index.ts';
import { printed } from '../support/machine-host.ts';
import { type Producer, TxnCoordinator } from './coordinator.ts';

const PARTITIONS = ['t/0', 't/1', 'u/0'];
const V1 = 4;
const V2 = 5;

/** What one client believes, and what it was told of each transaction. */
interface Client {
  version: number;
  producer: Producer | undefined;
  /** What the open transaction of this client has, as far as it was told. */
  added: Set<string>;
}

/** Two clients that both want to be the producer of one transactional id. */
class World {
  readonly coordinator = new TxnCoordinator();
  readonly clients: Client[];
  /** What should not have been. */
  readonly faults: string[] = [];
  /** Who was told last that it is the producer. */
  owner: Client | undefined;
  /** Ended for sure: by the epoch its markers have, what is to be found in the partitions. */
  readonly #promised: { added: Set<string>; committed: boolean; producer: Producer; isV2: boolean }[] = [];

  constructor(versions: readonly [number, number]) {
    this.clients = versions.map((version) => ({
      version,
      producer: undefined,
      added: new Set<string>(),
    }));
  }

  init(client: Client): void {
    const { errorCode, producer } = this.coordinator.init('a');
    if (errorCode !== 0) return this.#want([51], errorCode, 'InitProducerId');
    client.producer = producer;
    client.added = new Set();
    this.owner = client;
  }

  add(client: Client, partition: string): void {
    if (client.producer === undefined) return;
    const errorCode = this.coordinator.add(client.producer, [partition], client.version === V1 ? 3 : 5);
    this.#witness(client, errorCode, [0, 51, 90]);
    if (errorCode === 0) client.added.add(partition);
  }

  end(client: Client, committed: boolean): void {
    const { producer, added, version } = client;
    if (producer === undefined) return;
    const ended = this.coordinator.end(producer, committed, version);
    // A time that was up fences too.
    this.#witness(client, ended.errorCode, [0, 48, 51, 90]);
    if (ended.errorCode !== 0) return;
    if (added.size > 0) this.#promised.push({ added, committed, producer, isV2: version === V2 });
    client.added = new Set();
    if (version === V2) client.producer = ended.producer;
  }

  /** The answer to an end was lost, and it is sent again: nothing else may come of it. */
  endTwice(client: Client, committed: boolean): void {
    const { producer, version } = client;
    if (producer === undefined) return;
    this.end(client, committed);
    const again = this.coordinator.end(producer, committed, version);
    this.#want([0, 48, 51, 90], again.errorCode, 'repeated EndTxn');
    const isSame = again.producer.producerEpoch === client.producer?.producerEpoch;
    if (again.errorCode === 0 && version === V2 && !isSame)
      this.faults.push('a repeated EndTxn told another epoch');
  }

  /** I8: who is not the producer any more can do nothing. */
  #witness(client: Client, errorCode: number, allowed: readonly number[]): void {
    this.#want(
      client === this.owner ? allowed : [49, 90],
      errorCode,
      client === this.owner ? 'the owner' : 'a zombie',
    );
  }

  #want(allowed: readonly number[], errorCode: number, who: string): void {
    if (!allowed.includes(errorCode)) this.faults.push(`${who} was told ${errorCode}`);
  }

  /** I7: all partitions that were told of have the result their producer was told of, and no other. */
  checkMarkers(): void {
    this.coordinator.settle();
    const { markers } = this.coordinator;
    for (const { added, committed, producer, isV2 } of this.#promised) {
      const { producerId, producerEpoch } = producer;
      const epoch = isV2 ? producerEpoch + 1 : producerEpoch;
      const written = markers.filter(
        (each) => each.producerId === producerId && each.producerEpoch === epoch,
      );
      // Before v2 the next transaction has the same epoch.
      if (isV2 && written.some((each) => each.committed !== committed)) this.faults.push('not all, not none');
      for (const partition of added) {
        if (!written.some((each) => each.partition === partition && each.committed === committed))
          this.faults.push(`${partition} has not what was promised`);
      }
    }
  }

  /** I15: what is there, what reading the log gives, and what reading a snapshot gives. */
  durable(): { live: string[]; fromLog: string[]; fromSnapshot: string[] } {
    const live = [...this.coordinator.machine.snapshot()];
    return {
      live: printed(live),
      fromLog: printed(replayed(this.coordinator.log).snapshot()),
      fromSnapshot: printed(replayed(live).snapshot()),
    };
  }
}

function replayed(records: Iterable<MachineRecord>): TxnMachine {
  const machine = new TxnMachine({ controller: 'm', coordinatorEpoch: 0, shardOf: () => undefined });
  for (const record of records) machine.apply(record, 0);
  return machine;
}

type Action = (world: World) => void;

function on<T>(
  argument: fc.Arbitrary<T>,
  act: (world: World, client: Client, argument: T) => void,
): fc.Arbitrary<Action> {
  return fc.tuple(fc.nat(1), argument).map(([index, given]) => (world: World) => {
    const client = world.clients[index];
    if (client) act(world, client, given);
  });
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: on(fc.constant(undefined), (world, client) => world.init(client)) },
  {
    weight: 8,
    arbitrary: on(fc.constantFrom(...PARTITIONS), (world, client, name) => world.add(client, name)),
  },
  { weight: 5, arbitrary: on(fc.boolean(), (world, client, committed) => world.end(client, committed)) },
  { weight: 2, arbitrary: on(fc.boolean(), (world, client, committed) => world.endTwice(client, committed)) },
  {
    weight: 6,
    arbitrary: fc.nat(3).map((index) => ({ coordinator }: World) => {
      const ask = coordinator.asks[index % Math.max(1, coordinator.asks.length)];
      if (ask) coordinator.settleOne(ask);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 40_000 }).map((ms) => ({ coordinator }: World) => {
      coordinator.pass(coordinator.nowMs + ms);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((ms) => ({ coordinator }: World) => {
      coordinator.nowMs += ms;
    }),
  },
  { weight: 1, arbitrary: fc.constant(({ coordinator }: World) => coordinator.reload()) },
);

const versions = fc.tuple(fc.constantFrom(V1, V2), fc.constantFrom(V1, V2));

test('of two producers of one id the last to begin alone can act, and what it was told is what is written', () => {
  fc.assert(
    fc.property(versions, fc.array(action, { maxLength: 100, size: 'max' }), (each, actions) => {
      const world = new World(each);
      for (const act of actions) act(world);
      world.checkMarkers();
      expect(world.faults).toEqual([]);
      const { live, fromLog, fromSnapshot } = world.durable();
      expect(fromLog).toEqual(live);
      expect(fromSnapshot).toEqual(live);
    }),
    { numRuns: 500 },
  );
});

test('whatever happened, the next producer can begin and commit', () => {
  fc.assert(
    fc.property(versions, fc.array(action, { maxLength: 60, size: 'max' }), (each, actions) => {
      const world = new World(each);
      for (const act of actions) act(world);
      const { coordinator } = world;
      const producer = coordinator.begin('a');
      expect(coordinator.add(producer, ['t/0'], 5)).toBe(0);
      expect(coordinator.end(producer, true).errorCode).toBe(0);
      coordinator.settle();
      expect(coordinator.state('a')).toBe('CompleteCommit');
    }),
    { numRuns: 300 },
  );
});
