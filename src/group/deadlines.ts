import type { Millis } from '../model/ids.ts';

/** Something that falls due; `atMs` is Infinity while nothing is. Owned by one {@link Deadlines}. */
export interface Deadline<T> {
  readonly target: T;
  atMs: Millis;
  /** Of its live entry in the heap: never later than `atMs`, Infinity when it has none. */
  queuedAtMs: Millis;
}

interface Entry<T> {
  atMs: Millis;
  deadline: Deadline<T>;
}

const SWEEP_MIN = 64;

/**
 * A heap of deadlines that are moved far more often than they are met: a heartbeat moves its session's
 * deadline by writing one field, and the heap catches up when the old time comes to its top.
 */
export class Deadlines<T> {
  #heap: Entry<T>[] = [];
  /** Entries whose deadline was cleared or re-queued. */
  #stale = 0;

  create(target: T): Deadline<T> {
    return { target, atMs: Infinity, queuedAtMs: Infinity };
  }

  set(deadline: Deadline<T>, atMs: Millis): void {
    deadline.atMs = atMs;
    if (atMs >= deadline.queuedAtMs) return;
    if (deadline.queuedAtMs !== Infinity) this.#stale++;
    this.#push(deadline);
  }

  clear(deadline: Deadline<T>): void {
    deadline.atMs = Infinity;
    if (deadline.queuedAtMs === Infinity) return;
    deadline.queuedAtMs = Infinity;
    this.#stale++;
    if (this.#stale > SWEEP_MIN && this.#stale * 2 > this.#heap.length) this.#sweep();
  }

  /** The earliest deadline, Infinity when there is none. */
  get nextMs(): Millis {
    return this.#settle()?.atMs ?? Infinity;
  }

  /** Takes one deadline that has passed; it is cleared. Those of one moment come in no promised order. */
  due(nowMs: Millis): T | undefined {
    const entry = this.#settle();
    if (entry === undefined || entry.atMs > nowMs) return undefined;
    this.#pop();
    entry.deadline.atMs = Infinity;
    entry.deadline.queuedAtMs = Infinity;
    return entry.deadline.target;
  }

  /** Drops stale entries and re-queues moved ones until the top is true. */
  #settle(): Entry<T> | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return undefined;
      const { deadline } = top;
      if (deadline.queuedAtMs === top.atMs && deadline.atMs === top.atMs) return top;
      this.#pop();
      if (deadline.queuedAtMs === top.atMs) this.#push(deadline);
      else this.#stale--;
    }
  }

  #sweep(): void {
    const live = new Set<Deadline<T>>();
    for (const { deadline } of this.#heap) if (deadline.queuedAtMs !== Infinity) live.add(deadline);
    this.#heap = [];
    this.#stale = 0;
    for (const deadline of live) this.#push(deadline);
  }

  #push(deadline: Deadline<T>): void {
    deadline.queuedAtMs = deadline.atMs;
    const entry: Entry<T> = { atMs: deadline.atMs, deadline };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.atMs <= entry.atMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const leftIndex = index * 2 + 1;
      const left = heap[leftIndex];
      if (left === undefined) break;
      const right = heap[leftIndex + 1];
      const childIndex = right !== undefined && right.atMs < left.atMs ? leftIndex + 1 : leftIndex;
      const child = childIndex === leftIndex ? left : (right ?? left);
      if (child.atMs >= last.atMs) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}
