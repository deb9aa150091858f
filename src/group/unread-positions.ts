import type { Millis } from '../model/ids.ts';
import type { RecordSpan } from '../model/machine.ts';
import type { Context } from './context.ts';
import { commitExpiryMs } from './expiry.ts';
import type { Group } from './group.ts';
import { groupEndAt, isPosition, readCommitTimestamp, readGroup } from './read-position.ts';

/** The group whose position came last, where its name stands, and when that position was committed. */
interface Last {
  readonly group: Group;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  timestamp: Millis;
}

/** Gives positions from a log to their groups unread. Those of a commit follow each other: it looks for them once. */
export class UnreadPositions {
  #last: Last | undefined;

  /** @returns false when it must be read at once. */
  keep(context: Context, span: RecordSpan, nowMs: Millis): boolean {
    if (!isPosition(span)) return false;
    const last = this.#isOfLast(span) ? this.#last : this.#find(context, span, nowMs);
    if (last === undefined || last.group.unstable.size > 0) return false;
    last.group.positions.keep(span);
    const timestamp = readCommitTimestamp(span.bytes, span.valueAt);
    if (timestamp === last.timestamp) return true;
    last.timestamp = timestamp;
    context.expireFrom(commitExpiryMs(context, timestamp), nowMs);
    return true;
  }

  /** That group is no more. */
  forget(group: Group): void {
    if (this.#last?.group === group) this.#last = undefined;
  }

  #find(context: Context, { bytes, keyAt }: RecordSpan, nowMs: Millis): Last {
    const group = context.getOrCreate(readGroup(bytes, keyAt), nowMs);
    return (this.#last = { group, bytes, at: keyAt + 4, end: groupEndAt(bytes, keyAt), timestamp: -1 });
  }

  #isOfLast({ bytes, keyAt }: RecordSpan): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    const end = groupEndAt(bytes, keyAt);
    const by = end - last.end;
    if (end - keyAt - 4 !== last.end - last.at) return false;
    for (let at = last.end - 1; at >= last.at; at--) if (last.bytes[at] !== bytes[at + by]) return false;
    return true;
  }
}
