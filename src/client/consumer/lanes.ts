import { murmur2 } from '../producer/partitioner.ts';
import type { Deserializers } from '../topics/topic.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Which records wait for each other: those of a key, those of a partition, or none. */
export type Order = 'key' | 'partition' | 'none';

/** A record that waits for its turn. */
export interface Task<K, V> {
  readonly record: ConsumedRecord<K, V>;
  readonly owner: OwnedPartition;
  readonly deserializers: Deserializers<K, V>;
  /** It is over, or will never be. */
  readonly settled: () => void;
  /** Its partition waits for it. */
  isBegun: boolean;
}

/** What is to be done now, and what to call when that is over. */
export interface Turn<K, V> {
  task: Task<K, V>;
  over: () => void;
}

/** Records that are worked on one after the other. */
interface Lane<K, V> {
  readonly key: string;
  tasks: Task<K, V>[];
  isBusy: boolean;
}

/** Puts records behind those they have to wait for, and says which comes next. */
export class Lanes<K, V> {
  readonly #order: Order;
  readonly #lanes = new Map<string, Lane<K, V>>();
  /** Have a record and are not busy, the one that waits longest first. */
  readonly #ready = new Set<Lane<K, V>>();
  /** Of each partition. */
  readonly #waiting = new Map<OwnedPartition, number>();
  #numbered = 0;

  constructor(order: Order) {
    this.#order = order;
  }

  /** Records of it that are not begun. */
  waitingOf(owner: OwnedPartition): number {
    return this.#waiting.get(owner) ?? 0;
  }

  push(task: Task<K, V>): void {
    const key = this.#keyOf(task);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, tasks: [], isBusy: false };
      this.#lanes.set(key, lane);
    }
    lane.tasks.push(task);
    this.#count(task.owner, 1);
    if (!lane.isBusy) this.#ready.add(lane);
  }

  /** Undefined when all wait. */
  next(): Turn<K, V> | undefined {
    for (const lane of this.#ready) {
      const [task] = lane.tasks;
      if (task?.owner.isPaused) continue;
      this.#ready.delete(lane);
      if (task === undefined) continue;
      lane.tasks.shift();
      this.#count(task.owner, -1);
      lane.isBusy = true;
      return { task, over: () => this.#over(lane) };
    }
    return undefined;
  }

  /** What waits is let go, but what is to be kept. */
  drop(isKept: (task: Task<K, V>) => boolean): void {
    for (const lane of this.#lanes.values()) {
      const waiting = lane.tasks;
      lane.tasks = [];
      for (const task of waiting)
        if (isKept(task)) lane.tasks.push(task);
        else {
          this.#count(task.owner, -1);
          task.settled();
        }
      if (lane.tasks.length > 0) continue;
      this.#ready.delete(lane);
      if (!lane.isBusy) this.#lanes.delete(lane.key);
    }
  }

  #count(owner: OwnedPartition, by: number): void {
    const count = (this.#waiting.get(owner) ?? 0) + by;
    if (count === 0) this.#waiting.delete(owner);
    else this.#waiting.set(owner, count);
  }

  #over(lane: Lane<K, V>): void {
    lane.isBusy = false;
    if (lane.tasks.length > 0) this.#ready.add(lane);
    else if (this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key);
  }

  /** Keys that share a hash wait for each other, which does no harm; those without a key wait for none. */
  #keyOf({ record, owner }: Task<K, V>): string {
    const key = this.#order === 'key' ? record.keyBytes : null;
    if (this.#order === 'partition') return owner.title;
    return key === null ? `${this.#numbered++}` : `${owner.title}/${murmur2(key)}`;
  }
}
