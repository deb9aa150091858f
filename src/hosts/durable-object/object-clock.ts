import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';

interface Timer {
  atMs: Millis;
  callback: () => void;
}

/** The platform's own time. */
export interface ObjectTime {
  now(): Millis;
  /** @returns what calls it off. */
  after(delayMs: Millis, callback: () => void): () => void;
}

export const PLATFORM_TIME: ObjectTime = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface ObjectClockParts {
  /** Deadlines so near are timers, which keep the object awake; the others are left to its one alarm. */
  nearMs: Millis;
  /** The platform's one alarm of this object; each call is billed as a row. */
  setAlarm: (atMs: Millis) => void;
  time?: ObjectTime;
}

/** An alarm that is so late is not believed in any more. */
const OVERDUE_MS = 60_000;

/** An object has one alarm, which outlives it: it is set to the first of all deadlines that are not near. */
export class ObjectClock implements Clock {
  readonly #parts: ObjectClockParts;
  readonly #time: ObjectTime;
  readonly #far = new Set<Timer>();
  #alarmAtMs = Infinity;

  constructor(parts: ObjectClockParts) {
    this.#parts = parts;
    this.#time = parts.time ?? PLATFORM_TIME;
  }

  now(): Millis {
    return this.#time.now();
  }

  at(atMs: Millis, callback: () => void): () => void {
    if (atMs - this.now() <= this.#parts.nearMs)
      return this.#time.after(Math.max(0, Math.ceil(atMs - this.now())), callback);
    const timer = { atMs, callback };
    this.#far.add(timer);
    this.wakeAt(atMs);
    return () => this.#far.delete(timer);
  }

  /** What an earlier instance has set. */
  alarmIs(atMs: Millis | null): void {
    this.#alarmAtMs = Math.min(this.#alarmAtMs, atMs ?? Infinity);
  }

  /** The object will be awake then, whether or not it is until then. */
  wakeAt(atMs: Millis): void {
    const isLost = this.#alarmAtMs < this.now() - OVERDUE_MS;
    if (!(atMs < this.#alarmAtMs) && !isLost) return;
    if (atMs === Infinity) return;
    this.#alarmAtMs = atMs;
    this.#parts.setAlarm(atMs);
  }

  /** The alarm has come: as the platform says, maybe twice for one. */
  alarm(): void {
    this.#alarmAtMs = Infinity;
    const nowMs = this.now();
    for (const timer of this.#far) {
      if (timer.atMs > nowMs || !this.#far.delete(timer)) continue;
      timer.callback();
    }
    this.wakeAt(Math.min(...Array.from(this.#far, ({ atMs }) => atMs)));
  }
}
