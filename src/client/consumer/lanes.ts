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
  tasks: Task<K, V>[];
  isBusy: boolean;
}

/** Beyond so many, lanes that nobody is in are forgotten; beyond twice those that are used, if these are more. */
const LANES_MAX = 1_024;

/**
 * Puts records behind those they have to wait for, and says which comes next. Nothing is put into a table and taken out
 * again for a record: what such a table outgrows is not collected before it is old.
 */
export class Lanes<K, V> {
  readonly #order: Order;
  #lanes = new Map<string, Lane<K, V>>();
  #lanesMax = LANES_MAX;
  /** Have a record and are not busy, the one that waits longest first. */
  #ready: Lane<K, V>[] = [];
  /** Likewise, of paused partitions. */
  #paused: Lane<K, V>[] = [];
  /** Of each partition. */
  readonly #waiting = new Map<OwnedPartition, number>();

  constructor(order: Order) {
    this.#order = order;
  }

  /** Records of it that are not begun. */
  waitingOf(owner: OwnedPartition): number {
    return this.#waiting.get(owner) ?? 0;
  }

  push(task: Task<K, V>): void {
    const lane = this.#laneOf(task);
    lane.tasks.push(task);
    this.#count(task.owner, 1);
    if (!lane.isBusy && lane.tasks.length === 1) this.#ready.push(lane);
  }

  /** Undefined when all wait. */
  next(): Turn<K, V> | undefined {
    for (let lane = this.#ready.shift(); lane !== undefined; lane = this.#ready.shift()) {
      const [task] = lane.tasks;
      if (task === undefined) continue;
      if (task.owner.isPaused) {
        this.#paused.push(lane);
        continue;
      }
      lane.tasks.shift();
      this.#count(task.owner, -1);
      lane.isBusy = true;
      return { task, over: () => this.#over(lane) };
    }
    return undefined;
  }

  /** Partitions may have been resumed. */
  lookAgain(): void {
    this.#ready.unshift(...this.#paused.splice(0));
  }

  /** What waits is let go, but what is to be kept. */
  drop(isKept: (task: Task<K, V>) => boolean): void {
    for (const lane of new Set([...this.#lanes.values(), ...this.#ready, ...this.#paused])) {
      const waiting = lane.tasks;
      lane.tasks = [];
      for (const task of waiting)
        if (isKept(task)) lane.tasks.push(task);
        else {
          this.#count(task.owner, -1);
          task.settled();
        }
    }
    this.#ready = this.#ready.filter(isUsed);
    this.#paused = this.#paused.filter(isUsed);
    for (const [owner, count] of this.#waiting) if (count === 0) this.#waiting.delete(owner);
  }

  #count(owner: OwnedPartition, by: number): void {
    this.#waiting.set(owner, this.waitingOf(owner) + by);
  }

  #over(lane: Lane<K, V>): void {
    lane.isBusy = false;
    if (lane.tasks.length > 0) this.#ready.push(lane);
  }

  /** Keys that share a hash wait for each other, which does no harm; those without a key wait for none. */
  #laneOf({ record, owner }: Task<K, V>): Lane<K, V> {
    const key = this.#order === 'key' ? record.keyBytes : null;
    if (this.#order !== 'partition' && key === null) return newLane();
    const name = key === null ? owner.title : `${owner.title}/${murmur2(key)}`;
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    if (this.#lanes.size >= this.#lanesMax) this.#forgetUnused();
    const lane = newLane<K, V>();
    this.#lanes.set(name, lane);
    return lane;
  }

  #forgetUnused(): void {
    this.#lanes = new Map([...this.#lanes].filter(([, lane]) => isUsed(lane)));
    this.#lanesMax = Math.max(LANES_MAX, 2 * this.#lanes.size);
  }
}

function newLane<K, V>(): Lane<K, V> {
  return { tasks: [], isBusy: false };
}

function isUsed<K, V>({ tasks, isBusy }: Lane<K, V>): boolean {
  return isBusy || tasks.length > 0;
}
