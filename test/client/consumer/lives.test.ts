import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import type { Consumer } from '../../../src/client/consumer/consumer.ts';
import type { AssignorChoice } from '../../../src/client/group/assignors/choice.ts';
import { until } from '../group/fake-member.ts';
import { MISHAPS } from '../fake-cluster.ts';
import { ConsumerWorld, valueOf } from './life.ts';

/**
 * Whole lives of groups in virtual time: members come, go and die, the coordinator and leaders move, answers are lost.
 * Whatever happens, a group's position never passes a record that nobody has done, and in the end all are done.
 */

const ASSIGNORS: readonly AssignorChoice[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'];
const PARTITIONS = 5;

class Life {
  readonly world: ConsumerWorld;
  readonly done = new Set<string>();
  readonly failures: unknown[] = [];
  members: { consumer: Consumer; close: () => Promise<unknown> }[] = [];
  isBad = true;
  /** How often a record was done again. */
  again = 0;
  readonly #assignor: AssignorChoice;

  constructor(seed: number, mishapRatio: number) {
    this.world = new ConsumerWorld({
      seed,
      nodes: 3,
      partitions: PARTITIONS,
      mishap: () => (this.isBad && this.random.chance(mishapRatio) ? this.random.pick(MISHAPS) : undefined),
    });
    this.#assignor = this.random.pick(ASSIGNORS);
  }

  get random() {
    return this.world.fake.random;
  }

  join(): void {
    const { world, random } = this;
    const client = world.client(3_600_000);
    const consumer = world.consumer(
      { assignors: [this.#assignor], autoCommit: { intervalMs: 1_000 } },
      client,
    );
    const over = random.chance(0.5) ? this.#iterate(consumer) : this.#run(consumer);
    over.catch((error: unknown) => this.failures.push(error));
    const dies = random.chance(0.3);
    const close = () => (dies ? client.close({ timeoutMs: 0 }) : consumer.close({ timeoutMs: 60_000 }));
    this.members.push({ consumer, close });
  }

  /** Below committed positions, and not done: there must be none. */
  get lost(): string[] {
    return this.world.committed().flatMap((position = 0, partition) => {
      const below = Array.from({ length: position }, (_, offset) => `${partition}-${offset}`);
      return below.filter((value) => !this.done.has(value));
    });
  }

  async #iterate(consumer: Consumer): Promise<void> {
    for await (const record of consumer) await this.#work(record);
  }

  #run(consumer: Consumer): Promise<void> {
    const { random } = this;
    const concurrency = 1 + random.int(4);
    return consumer.run((record) => this.#work(record), {
      concurrency,
      order: random.pick(['key', 'partition', 'none'] as const),
      retry: 3,
    });
  }

  async #work(record: ConsumedRecord): Promise<void> {
    await this.world.fake.scheduler.sleep(this.random.between(0, 200));
    const value = valueOf(record);
    if (this.done.has(value)) this.again++;
    this.done.add(value);
  }
}

describe.each([
  ['calm, but members come and go', 0],
  ['while everything fails now and then', 0.03],
])('%s', (_, mishapRatio) => {
  test.each(Array.from({ length: 15 }, (_2, seed) => seed))('seed %i', async (seed) => {
    const life = new Life(seed, mishapRatio);
    const { world, random } = life;
    let written = 0;
    life.join();
    for (let round = 0; round < 15; round++) {
      const count = random.int(20);
      world.write(random.int(PARTITIONS), count);
      written += count;
      await world.sleep(random.between(0, 4_000));
      expect(life.lost).toEqual([]);
      const chance = random.next();
      if (chance < 0.3 && life.members.length < 4) life.join();
      else if (chance < 0.5 && life.members.length > 1)
        void life.members
          .splice(random.int(life.members.length), 1)[0]
          ?.close()
          .catch(() => {});
      else if (chance < 0.6) world.groups.moveTo(1 + random.int(3));
      else if (chance < 0.7) world.logs.moveLeader(random.int(PARTITIONS));
    }
    life.isBad = false;
    await until(world.fake, () => life.done.size === written);
    await until(world.fake, () => world.committed().reduce((sum: number, at = 0) => sum + at, 0) === written);
    expect(life.lost).toEqual([]);
    expect(life.failures).toEqual([]);
    for (const { consumer } of life.members) await world.run(consumer.close().catch(() => {}));
  });
});
