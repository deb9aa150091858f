import { ErrorCode } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { ShareGroupConfig } from './config.ts';
import { togetherMax } from './isolation.ts';
import type { StateBatch } from './records.ts';
import { AcknowledgeType, AcquireMode, DeliveryState, NO_START_OFFSET } from './states.ts';
import { type InFlight, Window } from './window.ts';

/** A stored batch, or what readers are not to have of the log: a marker, a batch of an aborted transaction. */
export interface Span {
  firstOffset: Offset;
  lastOffset: Offset;
  isSkipped: boolean;
}

/** Records that a member has from now on. */
export interface Acquired {
  firstOffset: Offset;
  lastOffset: Offset;
  deliveryCount: number;
}

/** What a member says of records that it has: one type for all, or one each. */
export interface AcknowledgementBatch {
  firstOffset: Offset;
  lastOffset: Offset;
  acknowledgeTypes: readonly number[];
}

/** What a member is given, while it is put together. */
interface Grant {
  memberId: string;
  lockedUntilMs: Millis;
  acquired: Acquired[];
  count: number;
  most: number;
  deliveryCountLimit: number;
  /** What lies behind it is for another time. */
  lastOffset: Offset;
}

/** What is to be stored. */
export interface StateWrite {
  startOffset: Offset;
  deliveryCompleteCount: number;
  stateBatches: StateBatch[];
}

/** What a share partition begins with. */
export interface StoredState {
  stateEpoch: number;
  startOffset: Offset;
  stateBatches: readonly StateBatch[];
  /** Its start was found just now, and is the first thing to be stored. */
  isStored: boolean;
}

/** What was read of the log, and how much of it one member may have. */
export interface Offer {
  memberId: string;
  /** Where the read began: {@link SharePartition.nextFetchOffset}. */
  fromOffset: Offset;
  /** In order; what lies between them is not in the log any more. */
  spans: readonly Span[];
  maxRecords: number;
  acquireMode: number;
}

/**
 * One partition as one share group reads it (KIP-932): who has which records, and what became of the others. It stands
 * beside the leader's log and lives while members read; what is settled is stored at the group's share coordinator.
 *
 *                      acquire                     accept
 *   Available (count) ────────> Acquired (count+1) ──────> Acknowledged
 *        ^                         │  │  │
 *        └── release, lock expired ┘  │  └── reject, gap ──────────> Archived
 *                                     └── the same, limit reached ────^
 *
 * All below `startOffset` is done. Whoever acts on it stores what {@link takeWrite} says, and tells no member that an
 * acknowledgement is taken before that is stored. When it cannot be stored the whole is thrown away and loaded again.
 */
export class SharePartition {
  readonly stateEpoch: number;
  readonly #config: () => ShareGroupConfig;
  readonly #window: Window;
  /** No lock ends before; it may be that none does then. */
  #wakeAtMs: Millis = Infinity;
  /** Settled since the last write, as far as it lies in the window. */
  #changed: { firstOffset: Offset; lastOffset: Offset }[] = [];
  #storedStart: Offset;

  constructor(config: () => ShareGroupConfig, state: StoredState) {
    this.#config = config;
    this.stateEpoch = state.stateEpoch;
    this.#storedStart = state.isStored ? state.startOffset : NO_START_OFFSET;
    this.#window = Window.restored(state.startOffset, state.stateBatches);
    this.#window.advance();
  }

  /** The first record that is not done. */
  get startOffset(): Offset {
    return this.#window.startOffset;
  }

  /** Exclusive: from there on nothing was delivered yet. */
  get endOffset(): Offset {
    return this.#window.endOffset;
  }

  /** For who watches: not to be changed. */
  get inFlight(): readonly InFlight[] {
    return this.#window.ranges;
  }

  /** When to call {@link expire}; Infinity while nobody has anything. */
  get wakeAtMs(): Millis {
    return this.#wakeAtMs;
  }

  /** From where to read for a member; undefined while too much is in delivery. */
  get nextFetchOffset(): Offset | undefined {
    const available = this.#window.firstAvailable();
    if (available !== undefined) return available;
    const { startOffset, endOffset } = this.#window;
    return endOffset - startOffset < this.#config().partitionMaxRecordLocks ? endOffset : undefined;
  }

  /** Up to where reading from `fromOffset` may bring something that is to be had; Infinity up to the log's end. */
  readableUntil(fromOffset: Offset): Offset {
    return this.#window.availableUntil(fromOffset);
  }

  /**
   * Gives a member what it may have of what was read, batch by batch, the last one whole if batches are to stay so;
   * what holds no record for anyone is archived on the way.
   */
  acquire({ memberId, fromOffset, spans, maxRecords, acquireMode }: Offer, nowMs: Millis): Acquired[] {
    const { recordLockDurationMs, partitionMaxRecordLocks, deliveryCountLimit } = this.#config();
    const lockedUntilMs = nowMs + recordLockDurationMs;
    const most = acquireMode === AcquireMode.RECORD_LIMIT ? maxRecords : Infinity;
    const acquired: Acquired[] = [];
    const bounds = { most, deliveryCountLimit, lastOffset: Infinity };
    const grant: Grant = { memberId, lockedUntilMs, acquired, count: 0, ...bounds };
    let nextOffset = Math.max(fromOffset, this.startOffset);
    for (const span of spans) {
      if (span.lastOffset < nextOffset) continue;
      if (grant.count >= maxRecords || nextOffset > grant.lastOffset) break;
      const firstOffset = Math.max(span.firstOffset, nextOffset);
      if (firstOffset > nextOffset) this.#skip(nextOffset, firstOffset - 1);
      nextOffset = span.lastOffset + 1;
      if (span.isSkipped) {
        this.#skip(firstOffset, span.lastOffset);
        continue;
      }
      const isNew = span.lastOffset >= this.endOffset;
      const room = partitionMaxRecordLocks - (this.endOffset - this.startOffset);
      if (isNew && room <= 0) break;
      this.#take(grant, firstOffset, span.lastOffset);
    }
    if (grant.count > 0) this.#wakeAtMs = Math.min(this.#wakeAtMs, lockedUntilMs);
    this.#window.advance();
    return acquired;
  }

  #take(grant: Grant, firstOffset: Offset, lastOffset: Offset): void {
    this.#window.grow(lastOffset + 1);
    for (const range of this.#window.within(firstOffset, lastOffset)) {
      if (range.state !== DeliveryState.AVAILABLE) continue;
      this.#isolate(grant, range);
      const { firstOffset: first } = range;
      const last = Math.min(range.lastOffset, grant.lastOffset, first + grant.most - grant.count - 1);
      if (last < first) return;
      const deliveryCount = range.deliveryCount + 1;
      const { memberId, lockedUntilMs, acquired } = grant;
      const state = DeliveryState.ACQUIRED;
      this.#window.set({
        firstOffset: first,
        lastOffset: last,
        state,
        deliveryCount,
        memberId,
        lockedUntilMs,
      });
      grant.count += last - first + 1;
      const before = acquired.at(-1);
      if (before?.lastOffset === first - 1 && before.deliveryCount === deliveryCount)
        before.lastOffset = last;
      else acquired.push({ firstOffset: first, lastOffset: last, deliveryCount });
    }
  }

  /** What failed often comes with nothing else, and not too much of it. */
  #isolate(grant: Grant, { firstOffset, deliveryCount }: InFlight): void {
    if (deliveryCount === 0 || grant.lastOffset < Infinity) return;
    const neighbours = this.#window.lengthFrom(firstOffset);
    const together = togetherMax(deliveryCount, neighbours, grant.deliveryCountLimit);
    if (together < Infinity) grant.lastOffset = firstOffset + (grant.count > 0 ? 0 : together) - 1;
  }

  /** Nobody is to have it: what is there for the taking there, or was not seen yet, is done. */
  #skip(firstOffset: Offset, lastOffset: Offset): void {
    this.#window.grow(lastOffset + 1);
    for (const range of this.#window.within(firstOffset, lastOffset))
      if (range.state === DeliveryState.AVAILABLE) this.#settle(range, DeliveryState.ARCHIVED);
  }

  /** All of it or nothing. @returns 0, or why not. */
  acknowledge(memberId: string, batches: readonly AcknowledgementBatch[], nowMs: Millis): number {
    this.expire(nowMs);
    for (const batch of batches)
      if (!this.#mayAcknowledge(memberId, batch)) return ErrorCode.INVALID_RECORD_STATE;
    for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
      if (acknowledgeTypes.length === 1) {
        this.#acknowledge({ firstOffset, lastOffset }, acknowledgeTypes[0] ?? 0, nowMs);
        continue;
      }
      for (const run of runsOf(firstOffset, acknowledgeTypes)) this.#acknowledge(run, run.type, nowMs);
    }
    this.#window.advance();
    return ErrorCode.NONE;
  }

  /** What lies below the start is done, whoever says it again. */
  #mayAcknowledge(
    memberId: string,
    { firstOffset, lastOffset, acknowledgeTypes }: AcknowledgementBatch,
  ): boolean {
    if (lastOffset < this.startOffset) return true;
    if (lastOffset >= this.endOffset) return false;
    const { renewAcknowledgeEnable } = this.#config();
    if (!renewAcknowledgeEnable && acknowledgeTypes.includes(AcknowledgeType.RENEW)) return false;
    return this.#window
      .within(Math.max(firstOffset, this.startOffset), lastOffset)
      .every((range) => range.state === DeliveryState.ACQUIRED && range.memberId === memberId);
  }

  #acknowledge(of: { firstOffset: Offset; lastOffset: Offset }, type: number, nowMs: Millis): void {
    const firstOffset = Math.max(of.firstOffset, this.startOffset);
    if (firstOffset > of.lastOffset) return;
    for (const range of this.#window.within(firstOffset, of.lastOffset)) {
      switch (type) {
        case AcknowledgeType.ACCEPT:
          this.#settle(range, DeliveryState.ACKNOWLEDGED);
          break;
        case AcknowledgeType.RELEASE:
          this.#release(range);
          break;
        case AcknowledgeType.RENEW:
          this.#window.set({ ...range, lockedUntilMs: nowMs + this.#config().recordLockDurationMs });
          break;
        default:
          this.#settle(range, DeliveryState.ARCHIVED);
      }
    }
  }

  /** Others may have it, unless it was delivered too often. */
  #release(range: InFlight): void {
    const isGivenUp = range.deliveryCount >= this.#config().deliveryCountLimit;
    this.#settle(range, isGivenUp ? DeliveryState.ARCHIVED : DeliveryState.AVAILABLE);
  }

  #settle({ firstOffset, lastOffset, deliveryCount }: InFlight, state: number): void {
    this.#window.set({
      firstOffset,
      lastOffset,
      state,
      deliveryCount,
      memberId: '',
      lockedUntilMs: Infinity,
    });
    const last = this.#changed.at(-1);
    if (last?.lastOffset === firstOffset - 1) last.lastOffset = lastOffset;
    else this.#changed.push({ firstOffset, lastOffset });
  }

  /** The member is gone, or wants nothing more: what it had is there for others. */
  releaseMember(memberId: string): void {
    for (const range of this.#window.ranges.slice())
      if (range.state === DeliveryState.ACQUIRED && range.memberId === memberId) this.#release(range);
    this.#window.advance();
  }

  /** Whose time is up has nothing any more. */
  expire(nowMs: Millis): void {
    if (nowMs < this.#wakeAtMs) return;
    let nextMs: Millis = Infinity;
    for (const range of this.#window.ranges.slice()) {
      if (range.state !== DeliveryState.ACQUIRED) continue;
      if (range.lockedUntilMs <= nowMs) this.#release(range);
      else nextMs = Math.min(nextMs, range.lockedUntilMs);
    }
    this.#wakeAtMs = nextMs;
    this.#window.advance();
  }

  /** What the log has no more is done. */
  trimTo(logStartOffset: Offset): void {
    this.#window.trimTo(logStartOffset);
  }

  /** What has been settled since the last one; undefined when nothing has. */
  takeWrite(): StateWrite | undefined {
    const { startOffset } = this;
    const changes = this.#changed;
    if (changes.length === 0 && startOffset === this.#storedStart) return undefined;
    const before = this.#storedStart;
    this.#changed = [];
    this.#storedStart = startOffset;
    const stateBatches: StateBatch[] = [];
    const sorted = changes.toSorted((a, b) => a.firstOffset - b.firstOffset);
    let nextOffset = startOffset;
    for (const { firstOffset, lastOffset } of sorted) {
      if (lastOffset < nextOffset) continue;
      // What somebody has got since is settled another time.
      for (const range of this.#window.within(Math.max(firstOffset, nextOffset), lastOffset))
        if (range.state !== DeliveryState.ACQUIRED) stateBatches.push(stored(range));
      nextOffset = lastOffset + 1;
    }
    if (stateBatches.length === 0 && startOffset === before) return undefined;
    return { startOffset, deliveryCompleteCount: this.#window.doneCount(), stateBatches };
  }

  /** Somebody has something. */
  get isHeld(): boolean {
    return this.#window.ranges.some(({ state }) => state === DeliveryState.ACQUIRED);
  }
}

function stored({ firstOffset, lastOffset, state: deliveryState, deliveryCount }: InFlight): StateBatch {
  return { firstOffset, lastOffset, deliveryState, deliveryCount };
}

/** Neighbours of which the same is said. */
function* runsOf(
  firstOffset: Offset,
  types: readonly number[],
): Iterable<{ firstOffset: Offset; lastOffset: Offset; type: number }> {
  let from = 0;
  for (let at = 1; at <= types.length; at++) {
    if (at < types.length && types[at] === types[from]) continue;
    yield { firstOffset: firstOffset + from, lastOffset: firstOffset + at - 1, type: types[from] ?? 0 };
    from = at;
  }
}
