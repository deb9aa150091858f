import { deepStrictEqual } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../../src/client/client.ts';
import { SeededRandom } from '../../support/random.ts';

export const LINES = 'lines';
export const COUNTS = 'counts';
export const PARTITIONS = 3;
const WORDS_A_LINE = 5;
const WORDS = Array.from({ length: 40 }, (_, number) => `word-${number}`);
const LOOK_AGAIN_MS = 200;

/** What is given to the application, and what has to come of it: every word with 1, 2, 3 … in this order. */
export class World {
  readonly client: Client;
  readonly #random = new SeededRandom(6);
  /** By word: how often it was given. */
  readonly #given = new Map<string, number>();
  /** How often all of it was counted from the beginning. */
  #rounds = 1;

  private constructor(client: Client) {
    this.client = client;
  }

  static async begin(client: Client): Promise<World> {
    for (const topic of [LINES, COUNTS]) await client.admin.topics.create(topic, { partitions: PARTITIONS });
    return new World(client);
  }

  get words(): number {
    return [...this.#given.values()].reduce((sum, count) => sum + count, 0);
  }

  async give(lines: number): Promise<void> {
    const records = Array.from({ length: lines }, (_, at) => {
      const words = Array.from({ length: WORDS_A_LINE }, () => this.#random.pick(WORDS));
      for (const word of words) this.#given.set(word, (this.#given.get(word) ?? 0) + 1);
      return { value: words.join(' '), partition: at % PARTITIONS };
    });
    await this.client.send(LINES, records);
  }

  /** Gives more and more as long as `work` takes. */
  async givingDuring(work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const worked = work().finally(() => (isOver = true));
    while (!isOver) {
      await this.give(50);
      await pause(LOOK_AGAIN_MS / 20);
    }
    await worked;
  }

  /** What was counted until now is counted again from the beginning. */
  countAgain(): void {
    this.#rounds++;
  }

  /** Resolves once every word was counted. @throws when one was counted twice, or not in its turn. */
  async counted(): Promise<void> {
    const wanted = new Map<string, number[]>();
    for (const [word, count] of this.#given) {
      const once = Array.from({ length: count }, (_, at) => at + 1);
      wanted.set(word, Array.from({ length: this.#rounds }, () => once).flat());
    }
    for (;;) {
      const counts = await this.#counts();
      for (const [word, seen] of counts)
        deepStrictEqual(seen, wanted.get(word)?.slice(0, seen.length), `counts of ${word}`);
      if (sizeOf(counts) === this.words * this.#rounds) return;
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** Resolves once more than so many counts were written, of transactions that are open too. */
  async countsAbove(count: number): Promise<void> {
    while ((await this.endOfCounts()) <= count) await pause(LOOK_AGAIN_MS / 10);
  }

  /** Of all partitions together, of transactions that are open too. */
  async endOfCounts(): Promise<number> {
    const ends = await this.client.admin.offsets.list(COUNTS, { isolation: 'read_uncommitted' });
    return ends.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
  }

  /** Those that are committed, by word. */
  async #counts(): Promise<Map<string, number[]>> {
    const counts = new Map<string, number[]>();
    const reader = this.client.read(COUNTS, { live: false, isolation: 'read_committed' });
    for await (const { key, value } of reader) {
      const word = String(Buffer.from(key ?? []));
      const seen = counts.get(word) ?? [];
      counts.set(word, seen);
      seen.push(Number(Buffer.from(value ?? []).readBigInt64BE()));
    }
    return counts;
  }
}

function sizeOf(counts: ReadonlyMap<string, readonly number[]>): number {
  return [...counts.values()].reduce((sum, { length }) => sum + length, 0);
}
