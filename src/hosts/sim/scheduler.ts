import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';

interface Event {
  atMs: Millis;
  /** Ties go in the order they were made. */
  number: number;
  what: string;
  run: (() => void) | undefined;
}

/** Resolves once every continuation that can run has run: a turn of the host's event loop. */
export type Turn = () => Promise<void>;

/**
 * Virtual time: events in a heap, one at a time, and all that follows from one before the next. Whatever waits in the
 * simulator waits for one of these, so the order of everything is the order of the heap.
 */
export class Scheduler implements Clock {
  /** With a fraction; what the core sees is whole. */
  nowMs: Millis;
  eventsRun = 0;
  /** Grows by a line an event when set. */
  trace: string[] | undefined;
  #hash = 0x811c9dc5;
  #made = 0;
  readonly #heap: Event[] = [];

  constructor(startMs: Millis) {
    this.nowMs = startMs;
  }

  /** Of all events so far, their times and names. */
  get hash(): number {
    return this.#hash >>> 0;
  }

  now(): Millis {
    return Math.floor(this.nowMs);
  }

  at(atMs: Millis, callback: () => void): () => void {
    return this.schedule(atMs, 'timer', callback);
  }

  after(delayMs: Millis, what: string, run: () => void): () => void {
    return this.schedule(this.nowMs + delayMs, what, run);
  }

  sleep(delayMs: Millis): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, 'sleep', resolve));
  }

  schedule(atMs: Millis, what: string, run: () => void): () => void {
    const event: Event = { atMs: Math.max(atMs, this.nowMs), number: ++this.#made, what, run };
    this.#push(event);
    return () => (event.run = undefined);
  }

  /** Says what happened, for the hash and the trace. */
  note(what: string): void {
    let hash = this.#hash;
    for (let at = 0; at < what.length; at++) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193);
    this.#hash = Math.imul(hash ^ Math.floor(this.nowMs * 1024), 0x01000193);
    this.trace?.push(`${(this.nowMs % 1e7).toFixed(3).padStart(11)}  ${what}`);
  }

  /** Runs events until `isOver`, which is asked after each of them, or none is left. */
  async run(isOver: () => boolean, turn: Turn): Promise<void> {
    for (let event = this.#pop(); event; event = this.#pop()) {
      const { run } = event;
      if (!run) continue;
      this.nowMs = event.atMs;
      this.eventsRun++;
      this.note(event.what);
      run();
      await turn();
      if (isOver()) return;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}
