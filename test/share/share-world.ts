import { mergeBatches } from '../../src/share/state-batches.ts';
import {
  type Acquired,
  AcknowledgeType,
  type AcknowledgementBatch,
  DEFAULT_SHARE_GROUP_CONFIG,
  type ShareGroupConfig,
  SharePartition,
  type Span,
  type StateBatch,
} from '../../src/share/index.ts';

const LOCK_MS = 1_000;

/** @throws when it is not so. */
function claim(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

/** What is known of a record, told by what members were told and by nothing else. */
interface Fate {
  owner: string | undefined;
  lockedUntilMs: number;
  deliveries: number;
  /** Said to be done: by its member, or because it was delivered too often. */
  isDone: boolean;
  /** Its member was told so. */
  isAcknowledged: boolean;
}

/** Planted: what a share partition does wrong. */
export type Make = (...options: ConstructorParameters<typeof SharePartition>) => SharePartition;

/** A log that one share group reads, with members that do as they like, crashes, and what must be true of it all. */
export class ShareWorld {
  readonly config: ShareGroupConfig = {
    ...DEFAULT_SHARE_GROUP_CONFIG,
    recordLockDurationMs: LOCK_MS,
    deliveryCountLimit: 3,
    partitionMaxRecordLocks: 40,
  };
  readonly #make: Make;
  nowMs = 0;
  partition: SharePartition;
  readonly spans: Span[] = [];
  endOffset = 0;
  logStartOffset = 0;
  readonly fates = new Map<number, Fate>();
  stored: { startOffset: number; stateBatches: StateBatch[] } = { startOffset: 0, stateBatches: [] };
  /** Done, and in no write yet that was stored. */
  #untold: number[] = [];

  constructor(make: Make = (...options) => new SharePartition(...options)) {
    this.#make = make;
    this.partition = this.#restored();
  }

  #restored(): SharePartition {
    return this.#make(() => this.config, { ...this.stored, stateEpoch: 1, isStored: true });
  }

  append(count: number, { isSkipped = false, gap = 0 } = {}): void {
    const firstOffset = this.endOffset + gap;
    const lastOffset = firstOffset + count - 1;
    this.spans.push({ firstOffset, lastOffset, isSkipped });
    this.endOffset = lastOffset + 1;
    if (isSkipped) return;
    for (let offset = firstOffset; offset <= lastOffset; offset++)
      this.fates.set(offset, {
        owner: undefined,
        lockedUntilMs: 0,
        deliveries: 0,
        isDone: false,
        isAcknowledged: false,
      });
  }

  /** A member reads as much as it likes, some batches at a time. */
  acquire(memberId: string, { maxRecords = 100, acquireMode = 0, batches = 100 } = {}): Acquired[] {
    this.partition.expire(this.nowMs);
    this.#expire();
    this.partition.trimTo(this.logStartOffset);
    const fromOffset = this.partition.nextFetchOffset;
    if (fromOffset === undefined || fromOffset >= this.endOffset) return [];
    const spans = this.spans.filter(({ lastOffset }) => lastOffset >= fromOffset).slice(0, batches);
    const offer = { memberId, fromOffset, spans, maxRecords, acquireMode };
    const acquired = this.partition.acquire(offer, this.nowMs);
    let count = 0;
    for (const { firstOffset, lastOffset, deliveryCount } of acquired)
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        this.#give(offset, memberId, deliveryCount);
        count++;
      }
    if (acquireMode === 1) claim(count <= maxRecords, `${count} records, not ${maxRecords}`);
    this.check();
    return acquired;
  }

  #give(offset: number, memberId: string, deliveryCount: number): void {
    const fate = this.fates.get(offset);
    if (fate === undefined) throw new Error(`${offset} is no record, and was given`);
    claim(fate.owner === undefined, `${offset} has an owner`);
    claim(!fate.isDone, `${offset} is done`);
    fate.deliveries++;
    fate.owner = memberId;
    fate.lockedUntilMs = this.nowMs + LOCK_MS;
    claim(deliveryCount === fate.deliveries, `${offset} was not delivered ${deliveryCount} times`);
    claim(deliveryCount <= this.config.deliveryCountLimit, `${offset} is delivered too often`);
  }

  /** Whose time is up has nothing any more. */
  #expire(): void {
    for (const [offset, fate] of this.fates)
      if (fate.owner !== undefined && fate.lockedUntilMs <= this.nowMs) this.#release(offset, fate);
  }

  #release(offset: number, fate: Fate): void {
    fate.owner = undefined;
    if (fate.deliveries < this.config.deliveryCountLimit) return;
    fate.isDone = true;
    this.#untold.push(offset);
  }

  held(memberId: string): number[] {
    return [...this.fates].flatMap(([offset, { owner }]) => (owner === memberId ? [offset] : []));
  }

  /** @returns the code of the answer. */
  acknowledge(memberId: string, batches: AcknowledgementBatch[]): number {
    this.#expire();
    const errorCode = this.partition.acknowledge(memberId, batches, this.nowMs);
    const all = batches.flatMap(({ firstOffset, lastOffset, acknowledgeTypes: types }) =>
      Array.from({ length: lastOffset - firstOffset + 1 }, (_, at) => ({
        offset: firstOffset + at,
        type: types.length === 1 ? types[0] : types[at],
      })),
    );
    const mayBe = all.every(
      ({ offset }) =>
        offset < this.logStartOffset || this.#isDoneBelow(offset) || this.#isHeldBy(offset, memberId),
    );
    if (errorCode !== 0) {
      const isHeld = all.every(({ offset }) => this.#isHeldBy(offset, memberId));
      claim(!isHeld, 'what a member has is refused');
      return errorCode;
    }
    claim(mayBe, 'what a member does not have is taken');
    for (const { offset, type } of all) this.#acknowledge(offset, memberId, type);
    this.check();
    return errorCode;
  }

  #isDoneBelow(offset: number): boolean {
    return offset < this.partition.startOffset;
  }

  #isHeldBy(offset: number, memberId: string): boolean {
    return this.fates.get(offset)?.owner === memberId;
  }

  #acknowledge(offset: number, memberId: string, type: number | undefined): void {
    const fate = this.fates.get(offset);
    if (fate?.owner !== memberId) return;
    if (type === AcknowledgeType.RENEW) fate.lockedUntilMs = this.nowMs + LOCK_MS;
    else if (type === AcknowledgeType.RELEASE) this.#release(offset, fate);
    else {
      fate.owner = undefined;
      fate.isDone = true;
      this.#untold.push(offset);
    }
  }

  leave(memberId: string): void {
    this.#expire();
    this.partition.expire(this.nowMs);
    this.partition.releaseMember(memberId);
    for (const offset of this.held(memberId)) this.#release(offset, this.fates.get(offset) as Fate);
    this.check();
  }

  sleep(ms: number): void {
    this.nowMs += ms;
    if (this.partition.wakeAtMs > this.nowMs) return;
    this.partition.expire(this.nowMs);
    this.#expire();
    this.check();
  }

  /** What is settled is stored, and whoever settled it is told. */
  store(): void {
    const write = this.partition.takeWrite();
    if (write !== undefined) {
      const { startOffset, stateBatches } = write;
      this.stored = {
        startOffset,
        stateBatches: mergeBatches(this.stored.stateBatches, stateBatches, startOffset),
      };
    }
    for (const offset of this.#untold.splice(0)) (this.fates.get(offset) as Fate).isAcknowledged = true;
  }

  /** What was not stored never happened, but for what members were told and did. */
  crash(): void {
    this.#untold = [];
    for (const fate of this.fates.values()) {
      fate.owner = undefined;
      if (!fate.isAcknowledged) fate.isDone = false;
    }
    this.partition = this.#restored();
    // How often they were delivered is known again as far as it was stored.
    for (const [offset, fate] of this.fates) if (!fate.isDone) fate.deliveries = this.#storedCount(offset);
    this.check();
  }

  #storedCount(offset: number): number {
    const batch = this.partition.inFlight.find(
      ({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset,
    );
    return batch?.deliveryCount ?? 0;
  }

  trim(offset: number): void {
    if (offset <= this.logStartOffset || offset > this.endOffset) return;
    this.logStartOffset = offset;
    this.partition.trimTo(offset);
    for (const known of this.fates.keys()) if (known < offset) this.fates.delete(known);
    while ((this.spans[0]?.lastOffset ?? Infinity) < offset) this.spans.shift();
    this.#untold = this.#untold.filter((each) => each >= offset);
    this.check();
  }

  /** No record that is not done lies below the start, and every offset is in one range. */
  check(): void {
    const { startOffset, endOffset, inFlight } = this.partition;
    for (const [offset, { isDone }] of this.fates)
      claim(isDone || offset >= startOffset, `${offset} is below the start`);
    let nextOffset = startOffset;
    for (const { firstOffset, lastOffset } of inFlight) {
      claim(firstOffset === nextOffset && lastOffset >= firstOffset, 'ranges follow each other');
      nextOffset = lastOffset + 1;
    }
    claim(nextOffset === endOffset, 'ranges reach the end');
  }

  /** In the end every record is done: none is lost, and none is left. */
  finish(): void {
    for (let round = 0; round < 400 && this.partition.startOffset < this.endOffset; round++) {
      this.sleep(LOCK_MS);
      const acquired = this.acquire('last');
      this.acknowledge(
        'last',
        acquired.map((batch) => ({ ...batch, acknowledgeTypes: [AcknowledgeType.ACCEPT] })),
      );
    }
    claim(this.partition.startOffset === this.endOffset, 'something is left');
    this.store();
    for (const [offset, { isAcknowledged }] of this.fates) claim(isAcknowledged, `${offset} was never done`);
    this.crash();
    claim(this.acquire('after').length === 0, 'what is done is given again');
  }
}
