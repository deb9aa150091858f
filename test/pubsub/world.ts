import type { Millis } from '../../src/model/ids.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { BrokerAddress } from '../../src/ports/transport.ts';
import { Connection, type ConnectOptions } from '../../src/web/connection.ts';
import { platform } from '../../src/web/platform.ts';
import type { Surroundings, Wake } from '../../src/web/surroundings.ts';
import type { Subscription } from '../../src/web/subscription.ts';
import { parseTarget } from '../../src/web/target.ts';
import type { TopicRecord } from '../../src/web/topic-record.ts';

export function doorOf({ host, port }: BrokerAddress): string {
  return `ws://${host}:${port}/kafka`;
}

/** A page as its connection sees it: what happens to it is up to the test. */
export class Page {
  readonly reported: unknown[] = [];
  readonly #listeners = new Set<(why: Wake) => void>();
  readonly #speed: number;
  #sleptMs: Millis = 0;

  /** @param speed of its time: what takes it a second takes us less. */
  constructor(speed = 1) {
    this.#speed = speed;
  }

  readonly clock: Clock = {
    now: () => performance.timeOrigin + this.#sleptMs + this.#speed * performance.now(),
    at: (atMs, callback) => {
      const timer = setTimeout(callback, Math.max(0, (atMs - this.clock.now()) / this.#speed));
      return () => clearTimeout(timer);
    },
  };

  connect(door: string, options?: ConnectOptions): Connection {
    const surroundings: Surroundings = {
      ...platform,
      clock: this.clock,
      report: (error) => this.reported.push(error),
      onWake: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    return new Connection(surroundings, parseTarget(door, undefined), options);
  }

  /** How many listen to what happens to it. */
  get listeners(): number {
    return this.#listeners.size;
  }

  happens(why: Wake): void {
    for (const listener of this.#listeners) listener(why);
  }

  /** All that it hears of it is that it is later. */
  sleep(forMs: Millis): void {
    this.#sleptMs += forMs;
  }
}

/** Records as they come, and a promise of their number. */
export class Inbox {
  readonly records: TopicRecord[] = [];
  #arrived = () => {};

  readonly take = (record: TopicRecord): void => {
    this.records.push(record);
    this.#arrived();
  };

  async count(count: number): Promise<TopicRecord[]> {
    while (this.records.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.records;
  }

  texts(partition = 0): (string | null)[] {
    return this.records.filter((record) => record.partition === partition).map((record) => record.text());
  }
}

/** Resolves when it is so. */
export class States {
  readonly seen: string[] = [];
  #changed = () => {};

  readonly tell = ({ state }: Subscription['status']): void => {
    this.seen.push(state);
    this.#changed();
  };

  async until(state: Subscription['status']['state'], times = 1): Promise<void> {
    while (this.seen.filter((seen) => seen === state).length < times)
      await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}
