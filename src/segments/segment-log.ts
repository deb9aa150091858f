import type { AbortedTransaction } from '../model/aborted.ts';
import { at, invariant, unreachable } from '../model/assert.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type {
  LogExtent,
  LogName,
  LogWrite,
  ReadRange,
  ReplacedRange,
  Replacement,
  Segment,
} from '../ports/log-store.ts';
import { AbortedIndex } from './aborted-index.ts';
import { LogDisk } from './log-disk.ts';
import { type Check, flushSegment, writeIndexes } from './log-loader.ts';
import { openLog } from './log-opening.ts';
import { LogReader } from './log-reader.ts';
import { LogSegment } from './log-segment.ts';
import { LogState } from './log-state.ts';
import { NamedValues } from './named-values.ts';
import type { StoreParts } from './parts.ts';
import { SegmentReplacement } from './replacement.ts';
import { LogTail } from './tail.ts';
import type { SegmentPart } from './tail-part.ts';
import { cutSegment } from './truncate.ts';

type Append = Extract<LogWrite, { type: 'append' }>;
type Trim = Extract<LogWrite, { type: 'trim' }>;
/** What a log's own code does; the store sees to the others. */
export type LogChange = Exclude<LogWrite, { type: 'create' | 'drop' }>;

/** So much of an active segment is checked again after a crash, at most. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

/**
 * One log. A change is made in memory at once and on disk by `run`, in the same order. Only a truncation needs the
 * disk to know what it changes, and a trim waits where files change places: until `run` has come to it, later changes
 * and reads wait.
 */
export class SegmentLog {
  readonly name: LogName;
  readonly values: NamedValues;
  readonly #parts: StoreParts;
  readonly #disk: LogDisk;
  #state: LogState | undefined;
  #reader: LogReader | undefined;
  #loading: Promise<LogExtent> | undefined;
  #holding: PromiseWithResolvers<void> | undefined;
  /** Changes that wait for the one that holds them up. */
  #later: LogChange[] = [];
  #indexesDue = false;
  #bytesSinceCheckpoint = 0;
  #isUnmade = false;
  #failure: Error | undefined;
  #damagedFrom: Offset = Infinity;

  constructor(name: LogName, parts: StoreParts) {
    this.name = name;
    this.#parts = parts;
    this.#disk = new LogDisk(name, parts);
    this.values = new NamedValues(parts, this.#disk.directory);
  }

  /** Read from disk, or new. */
  get isOpen(): boolean {
    return this.#state !== undefined;
  }

  get isFailed(): boolean {
    return this.#failure !== undefined;
  }
  get failure(): Error | undefined {
    return this.#failure;
  }
  /** A read found damage at or above it: to be loaded anew, with a check from there on. Infinity when none did. */
  get damagedFrom(): Offset {
    return this.#damagedFrom;
  }
  /** No round has ended well since it was to be made: what there is of it on disk is no log yet. */
  get isUnmade(): boolean {
    return this.#isUnmade;
  }
  /** See {@link LogDisk.durableEndOffset}. */
  get durableEndOffset(): Offset {
    return this.#disk.durableEndOffset;
  }

  /** Makes a new log, empty, once `before` is through: the log that had the name goes first. */
  create(before: Promise<void> | undefined): void {
    this.#isUnmade = true;
    this.#disk.create(before);
    const segment = this.#newSegment(0);
    this.#ready([segment], new AbortedIndex(this.#parts, this.#disk.directory), 0);
  }

  /** Writes its topic id beside what is on disk, which `load` reads. */
  adopt(): void {
    this.#disk.writeName();
  }

  /** Reads what is on disk, unless it is known. */
  async load(check: Check): Promise<LogExtent> {
    if (!this.#state) return (this.#loading ??= this.#load(check));
    const { logStartOffset, logEndOffset } = this.#state;
    return { logStartOffset, logEndOffset };
  }

  submit(change: LogChange): void {
    if (this.#failure) throw this.#failure;
    if (this.#holding) this.#later.push(change);
    else this.#apply(change);
  }

  /** Resolves once its directory has another name, which `run` sees to. */
  drop(): Promise<void> {
    const gone = this.#disk.drop();
    this.#forget();
    return gone;
  }

  read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const { logStartOffset } = this.#opened();
    if (this.#holding) return this.#holding.promise.then(() => this.read(range));
    return this.#read({ ...range, fromOffset: Math.max(range.fromOffset, logStartOffset) });
  }

  async batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    await this.#holding?.promise;
    const { logStartOffset } = this.#opened();
    return this.#reader?.batchAt(timestamp, Math.max(fromOffset, logStartOffset));
  }

  /** @param apart has it do what it is asked for when its turn has come, and nobody else wait for it. */
  replace(range: ReplacedRange, apart: (ask: () => void) => Promise<void>): Replacement {
    const state = this.#opened();
    return new SegmentReplacement(range, {
      parts: this.#parts,
      disk: this.#disk,
      state,
      name: this.name,
      commit: (step) =>
        apart(() => {
          this.#opened();
          this.#disk.schedule(step);
        }),
    });
  }

  aborted({ fromOffset, endOffset }: Omit<ReadRange, 'maxBytes'>): readonly AbortedTransaction[] {
    return this.#opened().aborted.transactions.overlapping(fromOffset, endOffset);
  }

  segments(): readonly Segment[] {
    const { segments, active, logEndOffset } = this.#opened();
    return segments.map((segment) => {
      const { baseOffset, sizeBytes, maxTimestamp, firstTimestamp } = segment;
      const nextOffset = segment === active ? logEndOffset : segment.nextOffset;
      return { baseOffset, nextOffset, sizeBytes, maxTimestamp, firstTimestamp };
    });
  }

  /** Does on disk what was submitted, and flushes it if the store does. One call at a time. */
  async run(): Promise<void> {
    if (this.#failure) throw this.#failure;
    await this.#disk.run();
  }

  /** Does what `run` would, if the host does it on the spot. @returns whether nothing is left for `run`. */
  runNow(): boolean {
    return this.#failure === undefined && this.#disk.runNow();
  }

  /** All that was submitted before the round is on disk. */
  roundEnded(): void {
    this.#isUnmade = false;
  }

  /** What is in memory may no longer be what is on disk: of no use until loaded anew, as another object. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#holding?.reject(error);
    this.#disk.giveUp(error);
    this.#forget();
  }

  /** What the next start must look at: a segment of it is suspected. */
  get isSuspect(): boolean {
    return this.#disk.isSuspect;
  }

  /** Makes all durable, indexes too, and moves the recovery point to the end (in memory). */
  async close(): Promise<void> {
    const state = this.#state;
    if (!state || this.#failure || this.isSuspect) return;
    const { offsets, times } = state.active;
    if (offsets.count + times.count > 0) state.active.close(state.logEndOffset);
    if (!(offsets.isSettled && times.isSettled)) {
      await writeIndexes(state.active);
      await flushSegment(this.#parts, state.active);
      this.#disk.namesChanged();
    }
    await this.#disk.flush();
    this.#parts.recoveryPoints.set(this.name, state.logEndOffset);
  }

  #apply(change: LogChange): void {
    switch (change.type) {
      case 'append':
        return this.#append(change);
      case 'roll':
        return this.#roll();
      case 'truncate':
        return this.#hold((state) => this.#truncate(state, change.toOffset));
      case 'trim':
        // Its files are on their way to other names.
        return this.#opened().swapping ? this.#hold(() => this.#trim(change)) : this.#trim(change);
      case 'put':
        return this.#disk.changeNames(this.values.set(this.name.log, change.name, change.value));
      case 'delete':
        return this.#disk.changeNames(this.values.set(this.name.log, change.name, undefined));
      case 'aborted':
        return this.#disk.schedule(this.#opened().aborted.replaceFrom(change, this.#opened().segments));
      default:
        return unreachable(change);
    }
  }

  #append({ baseOffset, lastOffset, maxTimestamp, bytes }: Append): void {
    const state = this.#opened();
    const place = { baseOffset, lastOffset, maxTimestamp, sizeBytes: bytes.length };
    invariant(baseOffset >= state.logEndOffset, 'appends go to the end of a log');
    if (!state.active.takes(place)) this.#roll();
    const segment = state.active;
    const position = segment.append(place);
    const batch = { baseOffset, lastOffset, bytes, segment, position };
    this.#disk.append(batch, state.keep(batch));
    this.#parts.tail.shrink();
    this.#keepIndexes(segment, bytes.length);
  }

  /** Under `flush=never` a recovery point would cost flushes nobody asked for: it moves with the segments only. */
  #keepIndexes(segment: LogSegment, appendedBytes: number): void {
    this.#bytesSinceCheckpoint += appendedBytes;
    if (this.#parts.flushes && this.#bytesSinceCheckpoint >= CHECKPOINT_BYTES) {
      this.#checkpoint(segment);
    } else if (segment.offsets.isDue && !this.#indexesDue) {
      this.#indexesDue = true;
      this.#disk.schedule(async () => {
        this.#indexesDue = false;
        await writeIndexes(segment);
      });
    }
  }

  #roll(): void {
    const { segments, active, logEndOffset } = this.#opened();
    if (active.baseOffset === logEndOffset) return;
    active.close(logEndOffset);
    this.#checkpoint(active);
    segments.push(this.#newSegment(logEndOffset));
  }

  #checkpoint(segment: LogSegment): void {
    const state = this.#opened();
    const { generation } = state;
    this.#bytesSinceCheckpoint = 0;
    this.#disk.checkpoint(segment, () => state === this.#state && state.generation === generation);
  }

  #trim({ beforeOffset, fileDeleteDelayMs = 0 }: Trim): void {
    const state = this.#opened();
    const { logStarts } = this.#parts;
    if (beforeOffset <= state.logStartOffset) return;
    if (beforeOffset > state.logEndOffset) state.segments.push(this.#newSegment(beforeOffset));
    state.logStartOffset = beforeOffset;
    const gone = state.segments.splice(0, state.segmentOf(beforeOffset));
    const oldest = at(state.segments, 0);
    state.tail.dropBelow(oldest.baseOffset);
    // Not sooner: a load after a failure goes by it, and whoever saves writes it.
    this.#disk.scheduleFlushed(async () => {
      if (oldest.baseOffset === beforeOffset && logStarts.get(this.name.log) === undefined) return;
      logStarts.set(this.name, beforeOffset);
      await logStarts.save();
    });
    if (gone.length === 0) return;
    state.generation++;
    this.#disk.removeSegments(gone, fileDeleteDelayMs);
    const forget = state.aborted.dropBelow(oldest.baseOffset);
    if (forget) this.#disk.changeNames(forget);
  }

  /** What comes later waits, and so do reads, until `change` is made: it has to wait for the disk. */
  #hold(change: (state: LogState) => Promise<void> | void): void {
    const holding = Promise.withResolvers<void>();
    holding.promise.catch(() => {});
    this.#holding = holding;
    this.#disk.scheduleWithMore(async () => {
      if (this.#state) await change(this.#state);
      this.#holding = undefined;
      const later = this.#later;
      this.#later = [];
      if (this.#state) for (const change of later) this.submit(change);
      holding.resolve();
    });
  }

  async #truncate(state: LogState, toOffset: Offset): Promise<void> {
    const { recoveryPoints } = this.#parts;
    if (toOffset >= state.active.nextOffset) return;
    const number = state.segmentOf(toOffset - 1);
    const segment = at(state.segments, number);
    const apply = await cutSegment(segment, toOffset, (range) => this.#read(range));
    state.generation++;
    state.tail.cutFrom(toOffset);
    apply();
    const gone = state.segments.splice(number + 1);
    const endOffset = state.logEndOffset;
    // A point above the end would keep later batches from being checked.
    if ((recoveryPoints.get(this.name.log) ?? 0) > endOffset) {
      recoveryPoints.set(this.name, endOffset);
      await recoveryPoints.save();
    }
    if (segment.nextOffset < endOffset) await this.#startAnew(state, gone);
    else await this.#disk.cut(segment, gone);
    // After the batches: a marker that is found must be known.
    await state.aborted.cut(state, () => this.#disk.flush());
    this.#disk.endsAt(endOffset);
  }

  /** Nothing is left at or above the log start: a segment that starts there says so when the log is read again. */
  async #startAnew(state: LogState, after: readonly LogSegment[]): Promise<void> {
    const segment = new LogSegment(this.#disk.directory, state.logStartOffset, this.#parts);
    const gone = [...state.segments, ...after];
    state.segments = [segment];
    state.tail.cutFrom(0);
    await this.#disk.startAnew(segment, gone);
  }

  #newSegment(baseOffset: Offset): LogSegment {
    const segment = new LogSegment(this.#disk.directory, baseOffset, this.#parts);
    this.#disk.createSegment(segment);
    return segment;
  }

  async #load(check: Check): Promise<LogExtent> {
    try {
      const { segments, aborted, startOffset, abortedMissingFrom } = await openLog(
        this.#parts,
        this.name,
        check,
      );
      if (this.#failure) throw this.#failure;
      const { logStartOffset, logEndOffset } = this.#ready(segments, aborted, startOffset);
      const extent = { logStartOffset, logEndOffset };
      return abortedMissingFrom === undefined ? extent : { ...extent, abortedMissingFrom };
    } finally {
      this.#loading = undefined;
    }
  }

  #ready(segments: LogSegment[], aborted: AbortedIndex, startOffset: Offset): LogState {
    const tail = new LogTail<SegmentPart>(this.#parts.tail);
    const state = new LogState(segments, { tail, aborted }, startOffset);
    this.#state = state;
    this.#disk.aborted = aborted;
    this.#reader = new LogReader(state, this.#parts, ({ baseOffset }) => {
      this.#damagedFrom = Math.min(this.#damagedFrom, baseOffset);
    });
    this.#disk.endsAt(state.logEndOffset);
    return state;
  }

  #read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    invariant(this.#reader, 'an open log has a reader');
    return this.#reader.read(range);
  }

  #opened(): LogState {
    if (this.#failure) throw this.#failure;
    if (!this.#state) throw new Error(`log ${this.name.topic}-${this.name.partition} is not open`);
    return this.#state;
  }

  /** Lets go of the batches in memory; reads under way find an empty log. */
  #forget(): void {
    const state = this.#state;
    if (!state) return;
    this.#state = undefined;
    state.isGone = true;
    state.generation++;
    state.tail.cutFrom(0);
  }
}
