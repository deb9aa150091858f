import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { Changes } from '../../clients/fixture.ts';
import { newTopic, type Reach, suite, textOf, useClient } from './reach.ts';

/** A reach whose brokers can be taken away. */
export interface MortalReach extends Reach {
  /** How many brokers hold each record. */
  readonly replicas: number;
  /** How brokers go, each in its turn. They resolve when it has come back. */
  readonly outages: readonly (() => Promise<void>)[];
}

const PARTITIONS = 3;
const TOGETHER = 5;
const PACE_MS = 5;
/** Longer than any outage, on a machine that is busy. */
const PATIENT = { retryForMs: 120_000 };
const QUICK = { heartbeatIntervalMs: 200, autoCommit: { intervalMs: 100 } };

const perPartition = <T>(make: () => T): T[] => Array.from({ length: PARTITIONS }, make);

/** Writes until the work is over. @returns the values of each partition, in order; all of them are acknowledged. */
async function writeDuring(client: Client, topic: string, work: Promise<void>): Promise<string[][]> {
  const written = perPartition((): string[] => []);
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  await using producer = client.producer();
  while (!isOver) {
    const sent = written.flatMap((values, partition) =>
      Array.from({ length: TOGETHER }, () => {
        const value = String(values.length);
        values.push(value);
        return producer.send(topic, { value, partition });
      }),
    );
    await Promise.all(sent);
    await pause(PACE_MS);
  }
  await over;
  return written;
}

/** A reader without a group, and members of one, that write down what they see. */
class Watch {
  readonly read = perPartition((): string[] => []);
  /** In the order in which it was first seen. */
  readonly consumed = perPartition(() => new Set<string>());
  readonly #changes = new Changes();
  readonly #reader;
  readonly #members;
  readonly #over: Promise<unknown>;

  constructor(client: Client, topic: string, group: string) {
    this.#reader = client.read(topic);
    this.#members = [1, 2].map(() => client.consumer({ group, topics: topic, ...QUICK }));
    const consuming = this.#members.map((consumer) =>
      consumer.run(({ partition, value }) => {
        this.consumed[partition]?.add(textOf(value) ?? '');
        this.#changes.changed();
      }),
    );
    this.#over = Promise.all([this.#follow(), ...consuming]);
    this.#over.catch(() => {});
  }

  /** @throws what ended one of them. */
  async untilSeen(written: readonly (readonly string[])[]): Promise<void> {
    const isSeen = (of: (partition: number) => number) =>
      written.every(({ length }, partition) => of(partition) >= length);
    const all = this.#changes.until(
      () =>
        isSeen((partition) => this.read[partition]?.length ?? 0) &&
        isSeen((partition) => this.consumed[partition]?.size ?? 0),
    );
    await Promise.race([all, this.#over]);
  }

  async close(): Promise<void> {
    for (const consumer of this.#members) await consumer.close();
    this.#reader.close();
    await this.#over;
  }

  async #follow(): Promise<void> {
    for await (const { partition, value } of this.#reader) {
      this.read[partition]?.push(textOf(value) ?? '');
      this.#changes.changed();
    }
  }
}

/** What all that a client does comes to while brokers go and come back. */
export const surviving = suite<MortalReach>('surviving', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), PATIENT);

  test('all that is acknowledged is there and read once, in order; a group has all of it', async () => {
    const { replicas: replicationFactor, outages, place } = reach;
    const { name } = await newTopic(reach, client, { partitions: PARTITIONS, replicationFactor });
    const group = place.name('group');
    const watch = new Watch(client, name, group);
    const goAndCome = async () => {
      for (const outage of outages) await outage();
    };
    const written = await writeDuring(client, name, goAndCome());
    await watch.untilSeen(written);
    expect(watch.read).toEqual(written);
    expect(watch.consumed.map((values) => [...values])).toEqual(written);
    await watch.close();
    expect((await client.admin.groups.lag(group)).lag).toBe(0);
  });
});
