import type { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { Address } from '../model/machine.ts';
import { offsetAfter } from '../records/header.ts';
import { type AcknowledgementBatch, type Acquired, SharePartition } from '../share/index.ts';
import { NO_RECORDS } from '../wire/fetched.ts';
import { shareStart } from './share-start.ts';
import { ShareState } from './share-state.ts';
import { deliverable, spansOf } from './share-spans.ts';
import type { Shard } from './shard.ts';

/** What a member is given. */
export interface Delivered {
  errorCode?: number;
  records?: Uint8Array;
  acquired?: Acquired[];
  lockTimeoutMs: Millis;
}

/** A member that wants records. */
export interface ShareReader {
  from: Address;
  memberId: string;
  maxRecords: number;
  /** As long as it may wait, and more than that may come. */
  minBytes: number;
  maxBytes: number;
  acquireMode: number;
  mayWait: boolean;
  answer: (delivered: Delivered) => void;
}

/** Where a read began, and how much was committed then. */
interface Looked {
  fromOffset: Offset;
  endOffset: Offset;
  seenBytes: number;
}

/** What of a read there is for a reader; too little for one may be enough for the next. */
type Came = 'something' | 'too little' | 'nothing';

/** A read that brought too little, and how much is committed once there may be enough. */
interface TooLittle {
  fromOffset: Offset;
  endOffset: Offset;
  untilBytes: number;
}

interface Acknowledgement {
  memberId: string;
  batches: readonly AcknowledgementBatch[];
  isLast: boolean;
}

/** A record as long as most, until some were read. */
const RECORD_BYTES = 1_024;
/** So much more is read, since batches come whole or not at all. */
const READ_MORE_RATIO = 1.2;

type Acknowledged = (result: { errorCode: number; lockTimeoutMs: Millis }) => void;

/**
 * A log as one share group reads it: brings together the machine, which says who may have what, the log, and what the
 * group's share coordinator keeps of it.
 *
 *   new ──first fetch──> loading ──state and start known──> ready ──its state is another's──> new
 */
export class SharedLog {
  readonly groupId: string;
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  readonly #state: ShareState;
  #partition: SharePartition | undefined;
  #isLoading = false;
  /** In the order they came. */
  readonly #readers = new Set<ShareReader>();
  readonly #tooLittle = new WeakMap<ShareReader, TooLittle>();
  /** What is read for one of them comes from the disk. */
  #isReading = false;
  #isServing = false;
  /** How long a record is, as far as is known. */
  #recordBytes = RECORD_BYTES;
  #isStopped = false;
  readonly #members = new Set<string>();
  /** Acknowledgements that the next write holds; those that the one under way holds. */
  #toBeStored: { acknowledged: Acknowledged; errorCode: number }[] = [];
  #beingStored: { acknowledged: Acknowledged; errorCode: number }[] = [];
  #isStoring = false;
  #alarmAtMs: Millis = Infinity;
  #cancelAlarm: (() => void) | undefined;

  constructor(shard: Shard, log: PartitionLog, groupId: string) {
    this.groupId = groupId;
    this.#shard = shard;
    this.#log = log;
    this.#state = new ShareState(shard, groupId);
  }

  get #config() {
    return this.#shard.spec.shareGroupConfig?.(this.groupId);
  }

  get #lockTimeoutMs(): Millis {
    return this.#config?.recordLockDurationMs ?? 0;
  }

  /** Nobody has anything here, nor wants it. */
  get isIdle(): boolean {
    const waits = this.#isStoring || this.#toBeStored.length > 0 || this.#readers.size > 0;
    return !waits && this.#members.size === 0 && this.#partition?.isHeld !== true;
  }

  fetch(reader: ShareReader): void {
    this.#members.add(reader.memberId);
    this.#readers.add(reader);
    this.serve();
    if (this.#partition === undefined) this.#answerHurried();
  }

  cancel({ correlationId }: Address): boolean {
    for (const reader of this.#readers)
      if (reader.from.correlationId === correlationId) return this.#readers.delete(reader);
    return false;
  }

  acknowledge({ memberId, batches, isLast }: Acknowledgement, acknowledged: Acknowledged): void {
    const partition = this.#partition;
    const nowMs = this.#shard.parts.clock.now();
    let errorCode: number = ErrorCode.NONE;
    if (partition === undefined) {
      if (batches.length > 0) errorCode = ErrorCode.INVALID_RECORD_STATE;
    } else {
      if (batches.length > 0) errorCode = partition.acknowledge(memberId, batches, nowMs);
      if (isLast) partition.releaseMember(memberId);
    }
    if (isLast) this.#members.delete(memberId);
    this.#toBeStored.push({ acknowledged, errorCode });
    this.#store();
    this.serve();
  }

  /** Gives readers what there is, one after the other, until one has to wait for the disk or nothing is left. */
  serve(): void {
    if (this.#isServing || this.#isStopped) return;
    if (this.#partition === undefined) return this.#load();
    this.#isServing = true;
    for (const reader of this.#readers) if (!this.#serve(reader)) break;
    this.#isServing = false;
    if (!this.#isReading) this.#answerHurried();
    this.#store();
    this.#arm();
  }

  /** @returns false when there is nothing for anybody, or not yet. */
  #serve(reader: ShareReader): boolean {
    while (this.#readers.has(reader)) {
      const partition = this.#partition;
      if (this.#isReading || partition === undefined) return false;
      const came = this.#read(reader, partition);
      if (came !== 'something') return came === 'too little';
    }
    return true;
  }

  #read(reader: ShareReader, partition: SharePartition): Came {
    partition.expire(this.#shard.parts.clock.now());
    partition.trimTo(this.#log.logStartOffset);
    const fromOffset = partition.nextFetchOffset;
    const endOffset = this.#endOffset;
    if (fromOffset === undefined || fromOffset >= endOffset) return 'nothing';
    const range = { fromOffset, endOffset, seenBytes: this.#shard.committedBytes };
    if (this.#isStillTooLittle(reader, range)) return 'too little';
    const found = this.#log.read({ fromOffset, endOffset, maxBytes: this.#bytesFor(reader) });
    if (!(found instanceof Promise)) return this.#give(reader, partition, range, found ?? NO_RECORDS);
    this.#isReading = true;
    found.then(
      (bytes) => {
        this.#isReading = false;
        if (this.#isStopped) return;
        const isWanted = this.#readers.has(reader) && this.#partition === partition;
        if (isWanted) this.#give(reader, partition, range, bytes);
        this.serve();
      },
      (error) => {
        this.#isReading = false;
        if (this.#isStopped) return;
        this.#readFailed([reader], error);
        this.serve();
      },
    );
    return 'something';
  }

  /** Nothing has come since, or not enough; what became committed is not counted, and looked at again. */
  #isStillTooLittle(reader: ShareReader, { fromOffset, endOffset, seenBytes }: Looked): boolean {
    const before = this.#tooLittle.get(reader);
    if (before?.fromOffset !== fromOffset) return false;
    return this.#isCommitted ? before.endOffset === endOffset : seenBytes < before.untilBytes;
  }

  /** All there is was read, and is less than the reader waits for. */
  #isTooLittle(
    reader: ShareReader,
    { fromOffset, endOffset, seenBytes }: Looked,
    bytes: Uint8Array,
  ): boolean {
    const missingBytes = Math.min(reader.minBytes, this.#bytesFor(reader)) - bytes.length;
    const nextOffset = offsetAfter(bytes);
    const waits = reader.mayWait && missingBytes > 0 && nextOffset !== undefined && nextOffset >= endOffset;
    if (waits) this.#tooLittle.set(reader, { fromOffset, endOffset, untilBytes: seenBytes + missingBytes });
    return waits;
  }

  /** What the records that are wanted may take, by what those before took; the first batch comes whole. */
  #bytesFor({ maxBytes, maxRecords }: ShareReader): number {
    return Math.max(1, Math.min(maxBytes, Math.ceil(maxRecords * this.#recordBytes * READ_MORE_RATIO)));
  }

  #readFailed(readers: Iterable<ShareReader>, error: unknown): void {
    for (const reader of readers)
      if (this.#readers.delete(reader)) this.#shard.readFailed(reader.from, error);
  }

  get #isCommitted(): boolean {
    return this.#config?.isolationLevel === 'read_committed';
  }

  get #endOffset(): Offset {
    return this.#isCommitted ? this.#log.lastStableOffset : this.#log.highWatermark;
  }

  /** Those that will not wait are told that there is nothing now. */
  #answerHurried(): void {
    for (const reader of this.#readers)
      if (!reader.mayWait && this.#readers.delete(reader))
        reader.answer({ lockTimeoutMs: this.#lockTimeoutMs });
  }

  #give(reader: ShareReader, partition: SharePartition, looked: Looked, bytes: Uint8Array): Came {
    if (this.#isTooLittle(reader, looked, bytes)) return 'too little';
    const isCommitted = this.#isCommitted;
    const spans = spansOf(bytes, (range) => (isCommitted ? this.#log.aborted(range) : []));
    const [first, last] = [spans[0], spans.at(-1)];
    if (first && last) this.#recordBytes = bytes.length / (last.lastOffset - first.firstOffset + 1);
    const { memberId, maxRecords, acquireMode } = reader;
    const offer = { memberId, fromOffset: looked.fromOffset, spans, maxRecords, acquireMode };
    const acquired = partition.acquire(offer, this.#shard.parts.clock.now());
    // Others have taken it, or there was no record in it: what is behind it is looked at next.
    if (acquired.length === 0) return spans.length > 0 ? 'something' : 'nothing';
    this.#readers.delete(reader);
    reader.answer({ records: deliverable(bytes, acquired), acquired, lockTimeoutMs: this.#lockTimeoutMs });
    return 'something';
  }

  #load(): void {
    const { clock } = this.#shard.parts;
    if (this.#isLoading || this.#readers.size === 0) return;
    this.#isLoading = true;
    this.#state.read({
      isWanted: () => this.#readers.size > 0,
      refused: (errorCode) => {
        this.#isLoading = false;
        if (errorCode !== undefined) this.#refuseReaders(errorCode);
      },
      found: (state) => {
        const { autoOffsetReset = 'latest' } = this.#config ?? {};
        const reset = { autoOffsetReset, endOffset: this.#endOffset, nowMs: clock.now() };
        shareStart(this.#log, state, reset).then(
          (stored) => {
            this.#isLoading = false;
            if (this.#isStopped) return;
            const config = this.#shard.spec.shareGroupConfig;
            if (config === undefined) return;
            this.#partition = new SharePartition(() => config(this.groupId), stored);
            this.serve();
          },
          (error) => {
            this.#isLoading = false;
            if (!this.#isStopped) this.#readFailed(this.#readers, error);
          },
        );
      },
    });
  }

  #refuseReaders(errorCode: number): void {
    for (const reader of this.#readers) {
      this.#readers.delete(reader);
      reader.answer({ errorCode, lockTimeoutMs: this.#lockTimeoutMs });
    }
  }

  /** One write at a time: what is settled meanwhile goes with the next. */
  #store(): void {
    if (this.#isStoring || this.#isStopped) return;
    const write = this.#partition?.takeWrite();
    this.#beingStored = this.#toBeStored;
    this.#toBeStored = [];
    const partition = this.#partition;
    if (write === undefined || partition === undefined) return this.#stored(ErrorCode.NONE);
    this.#isStoring = true;
    this.#state.write(partition.stateEpoch, write, (errorCode) => {
      this.#isStoring = false;
      if (errorCode !== ErrorCode.NONE) this.#forget(errorCode);
      this.#stored(errorCode);
      if (this.#partition === undefined) this.serve();
      else this.#store();
    });
  }

  #stored(storeCode: number): void {
    const told = this.#beingStored;
    this.#beingStored = [];
    for (const { acknowledged, errorCode } of told)
      acknowledged({ errorCode: errorCode || storeCode, lockTimeoutMs: this.#lockTimeoutMs });
  }

  /** What is stored is not what is known here: all that was settled since is not, and is read again. */
  #forget(errorCode: number): void {
    this.#partition = undefined;
    this.#beingStored.push(...this.#toBeStored);
    this.#toBeStored = [];
    if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) this.#refuseReaders(errorCode);
  }

  /** Keeps one alarm, never later than a lock ends; an early one just looks again. */
  #arm(): void {
    const { clock } = this.#shard.parts;
    const wakeAtMs = this.#partition?.wakeAtMs ?? Infinity;
    if (wakeAtMs >= this.#alarmAtMs || wakeAtMs === Infinity) return;
    this.#cancelAlarm?.();
    this.#alarmAtMs = wakeAtMs;
    this.#cancelAlarm = clock.at(wakeAtMs, () => {
      this.#alarmAtMs = Infinity;
      this.#partition?.expire(clock.now());
      this.serve();
    });
  }

  /** @returns who was still to be answered. */
  stop(): Address[] {
    this.#isStopped = true;
    this.#state.stop();
    this.#cancelAlarm?.();
    const waiting = Array.from(this.#readers, ({ from }) => from);
    this.#readers.clear();
    const told = [...this.#beingStored, ...this.#toBeStored];
    this.#toBeStored = [];
    this.#beingStored = [];
    for (const { acknowledged } of told)
      acknowledged({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, lockTimeoutMs: 0 });
    return waiting;
  }
}
