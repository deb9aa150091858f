import type { Millis, Offset } from '../../../model/ids.ts';
import { holds } from '../broken.ts';

export const SHARE_TOPIC = 'shared';
/** How long a record is a member's, by the settings of its node. */
export const SHARE_LOCK_MS = 3_000;
export const DELIVERIES_MAX = 5;

/** A record that a member was given. */
interface Hold {
  member: string;
  /** When it asked: before that it cannot have had it, and so it has it until then and the lock's time at least. */
  sinceMs: Millis;
  untilMs: Millis;
}

interface Fate {
  hold: Hold | undefined;
  deliveries: number;
  /** When a member was told that it is done. */
  doneAtMs: Millis;
}

/** What is known of the records of a share group, by what its members were told: I12. */
export class ShareLedger {
  readonly #fates = new Map<Offset, Fate>();
  /** Since all is calm: no answer is lost any more, so that of each of these it is known what became of it. */
  readonly #written = new Set<Offset>();
  /** Before it a fault may have taken from members what they have, and not told them. */
  #calmFromMs: Millis = Infinity;

  /** Nothing bad happens from now on. */
  calm(nowMs: Millis): void {
    this.#calmFromMs = Math.min(this.#calmFromMs, nowMs);
  }

  wrote(offset: Offset, nowMs: Millis): void {
    if (nowMs >= this.#calmFromMs) this.#written.add(offset);
  }

  #fate(offset: Offset): Fate {
    const known = this.#fates.get(offset);
    if (known !== undefined) return known;
    const fate = { hold: undefined, deliveries: 0, doneAtMs: Infinity };
    this.#fates.set(offset, fate);
    return fate;
  }

  given(
    offset: Offset,
    { member, count, askedAtMs, nowMs }: { member: string; count: number; askedAtMs: Millis; nowMs: Millis },
  ): void {
    const fate = this.#fate(offset);
    const { hold } = fate;
    holds(count <= DELIVERIES_MAX, 'I12', () => `record ${offset} is delivered ${count} times`);
    holds(askedAtMs <= fate.doneAtMs, 'I12', () => `record ${offset} is done, and delivered to ${member}`);
    const isHeld = hold !== undefined && hold.sinceMs >= this.#calmFromMs && nowMs < hold.untilMs;
    holds(!isHeld, 'I12', () => `record ${offset} is ${hold?.member}'s, and given to ${member} too`);
    fate.deliveries = Math.max(fate.deliveries, count);
    // The node counts whole milliseconds.
    fate.hold = { member, sinceMs: askedAtMs, untilMs: Math.floor(askedAtMs) + SHARE_LOCK_MS };
  }

  /** It has said something of it, or its session is over: others may have it. */
  letGo(member: string, offsets?: readonly Offset[]): void {
    for (const offset of offsets ?? this.#fates.keys()) {
      const fate = this.#fates.get(offset);
      if (fate?.hold?.member === member) fate.hold = undefined;
    }
  }

  accepted(offsets: readonly Offset[], nowMs: Millis): void {
    for (const offset of offsets) {
      const fate = this.#fate(offset);
      fate.doneAtMs = Math.min(fate.doneAtMs, nowMs);
    }
  }

  /** Neither done nor delivered as often as that is allowed. */
  get left(): Offset[] {
    return [...this.#written].filter((offset) => {
      const fate = this.#fates.get(offset);
      return fate === undefined || (fate.doneAtMs === Infinity && fate.deliveries < DELIVERIES_MAX);
    });
  }
}
