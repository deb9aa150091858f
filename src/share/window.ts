import { invariant } from '../model/assert.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { StateBatch } from './records.ts';
import { DeliveryState, isTerminal } from './states.ts';

/** Neighbouring records that are in the same state: replaced, never changed. */
export interface InFlight {
  readonly firstOffset: Offset;
  readonly lastOffset: Offset;
  readonly state: number;
  /** How often they were delivered. */
  readonly deliveryCount: number;
  /** Who has them; empty when nobody does. */
  readonly memberId: string;
  readonly lockedUntilMs: Millis;
}

/**
 * The records a share group is at work on, from the first that is not done to the last that was seen. Every offset in
 * between is in exactly one range, so no record has two states and none has two owners.
 */
export class Window {
  startOffset: Offset;
  /** Exclusive. */
  endOffset: Offset;
  #ranges: InFlight[] = [];

  private constructor(startOffset: Offset) {
    this.startOffset = startOffset;
    this.endOffset = startOffset;
  }

  /** What is not named was not delivered, or is not known to have been. */
  static restored(startOffset: Offset, batches: readonly StateBatch[]): Window {
    const window = new Window(startOffset);
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of batches) {
      if (lastOffset < window.endOffset) continue;
      const first = Math.max(firstOffset, window.endOffset);
      window.grow(lastOffset + 1);
      const state = isTerminal(deliveryState) ? deliveryState : DeliveryState.AVAILABLE;
      window.set({ ...nobodys(first, lastOffset), state, deliveryCount });
    }
    return window;
  }

  get ranges(): readonly InFlight[] {
    return this.#ranges;
  }

  /** The window reaches up to there, at least; what is new is there for the taking. */
  grow(endOffset: Offset): void {
    if (endOffset <= this.endOffset) return;
    const range = nobodys(this.endOffset, endOffset - 1);
    this.endOffset = endOffset;
    const last = this.#ranges.at(-1);
    if (last !== undefined && isSame(last, range))
      this.#ranges[this.#ranges.length - 1] = { ...last, lastOffset: range.lastOffset };
    else this.#ranges.push(range);
  }

  firstAvailable(): Offset | undefined {
    return this.#ranges.find(({ state }) => state === DeliveryState.AVAILABLE)?.firstOffset;
  }

  /** Where the run of records for the taking ends that `fromOffset` begins; Infinity when it is the last. */
  availableUntil(fromOffset: Offset): Offset {
    for (let at = this.#indexOf(fromOffset); at < this.#ranges.length; at++) {
      const range = this.#ranges[at] as InFlight;
      if (range.state !== DeliveryState.AVAILABLE) return range.firstOffset;
    }
    return Infinity;
  }

  /** How many records are in the same state, from this one on. */
  lengthFrom(offset: Offset): number {
    return (this.#ranges[this.#indexOf(offset)] as InFlight).lastOffset - offset + 1;
  }

  /** The ranges from `firstOffset` to `lastOffset`, cut to these; both lie in the window. */
  within(firstOffset: Offset, lastOffset: Offset): InFlight[] {
    const found: InFlight[] = [];
    for (let at = this.#indexOf(firstOffset); at < this.#ranges.length; at++) {
      const range = this.#ranges[at] as InFlight;
      if (range.firstOffset > lastOffset) break;
      found.push(cut(range, firstOffset, lastOffset));
    }
    return found;
  }

  /** Lays a range over what is there. */
  set(range: InFlight): void {
    const { firstOffset, lastOffset } = range;
    invariant(firstOffset >= this.startOffset && lastOffset < this.endOffset, 'a range lies in its window');
    const from = this.#indexOf(firstOffset);
    let until = from;
    while (until < this.#ranges.length && (this.#ranges[until] as InFlight).firstOffset <= lastOffset)
      until++;
    const first = this.#ranges[from] as InFlight;
    const last = this.#ranges[until - 1] as InFlight;
    const pieces: InFlight[] = [];
    if (first.firstOffset < firstOffset) pieces.push({ ...first, lastOffset: firstOffset - 1 });
    pieces.push(range);
    if (last.lastOffset > lastOffset) pieces.push({ ...last, firstOffset: lastOffset + 1 });
    this.#replace(from, until, pieces);
  }

  /** Neighbours that are the same become one. */
  #replace(from: number, until: number, pieces: readonly InFlight[]): void {
    const before = this.#ranges[from - 1];
    const after = this.#ranges[until];
    const all = [...(before ? [before] : []), ...pieces, ...(after ? [after] : [])];
    const joined: InFlight[] = [];
    for (const piece of all) {
      const last = joined.at(-1);
      if (last !== undefined && isSame(last, piece))
        joined[joined.length - 1] = { ...last, lastOffset: piece.lastOffset };
      else joined.push(piece);
    }
    const start = before ? from - 1 : from;
    const end = after ? until + 1 : until;
    this.#ranges.splice(start, end - start, ...joined);
  }

  /** Past what is done at its front. */
  advance(): void {
    let done = 0;
    while (done < this.#ranges.length && isTerminal((this.#ranges[done] as InFlight).state)) done++;
    if (done === 0) return;
    this.#ranges.splice(0, done);
    this.startOffset = this.#ranges[0]?.firstOffset ?? this.endOffset;
  }

  trimTo(startOffset: Offset): void {
    if (startOffset <= this.startOffset) return;
    this.#ranges = this.#ranges.flatMap((range) =>
      range.lastOffset < startOffset ? [] : [cut(range, startOffset, range.lastOffset)],
    );
    this.startOffset = startOffset;
    this.endOffset = Math.max(this.endOffset, startOffset);
    this.advance();
  }

  /** How many in it are done. */
  doneCount(): number {
    let count = 0;
    for (const { state, firstOffset, lastOffset } of this.#ranges)
      if (isTerminal(state)) count += lastOffset - firstOffset + 1;
    return count;
  }

  /** Of the range that holds an offset. */
  #indexOf(offset: Offset): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as InFlight).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function nobodys(firstOffset: Offset, lastOffset: Offset): InFlight {
  const state = DeliveryState.AVAILABLE;
  return { firstOffset, lastOffset, state, deliveryCount: 0, memberId: '', lockedUntilMs: Infinity };
}

function cut(range: InFlight, firstOffset: Offset, lastOffset: Offset): InFlight {
  if (range.firstOffset >= firstOffset && range.lastOffset <= lastOffset) return range;
  return {
    ...range,
    firstOffset: Math.max(range.firstOffset, firstOffset),
    lastOffset: Math.min(range.lastOffset, lastOffset),
  };
}

function isSame(left: InFlight, right: InFlight): boolean {
  return (
    left.state === right.state &&
    left.memberId === right.memberId &&
    left.lockedUntilMs === right.lockedUntilMs &&
    // How often what is done was delivered nobody asks.
    (left.deliveryCount === right.deliveryCount || isTerminal(left.state))
  );
}
