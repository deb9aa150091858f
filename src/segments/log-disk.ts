import type { Millis, Offset } from '../model/ids.ts';
import type { LogName } from '../ports/log-store.ts';
import { replaceFile } from './atomic-file.ts';
import type { AbortedIndex } from './aborted-index.ts';
import { flushFile } from './flush-file.ts';
import {
  formerDirectory,
  logDirectory,
  PARTITION_METADATA,
  partitionMetadata,
  segmentBase,
} from './layout.ts';
import { flushSegment, removeSegment, retireSegment, writeIndexes } from './log-loader.ts';
import type { LogSegment } from './log-segment.ts';
import type { StoreParts } from './parts.ts';
import type { PlacedBatch, TailPart } from './tail-part.ts';
import { WorkQueue } from './work-queue.ts';

/** Batches that follow each other in one file: one write. */
interface Run {
  segment: LogSegment;
  position: number;
  /** Inclusive. */
  lastOffset: Offset;
  chunks: Uint8Array[];
  /** Where each chunk lies in memory meanwhile. */
  parts: TailPart[];
}

/** What one log has to do on disk, step by step in the order asked for; `run` does it. */
export class LogDisk {
  readonly directory: string;
  /** Known once the log is loaded, or new. */
  aborted: AbortedIndex | undefined;
  readonly #name: LogName;
  readonly #parts: StoreParts;
  readonly #queue = new WorkQueue();
  /** The last step, while it is one that takes more batches. */
  #lastRun: Run | undefined;
  /** Log files with what was not flushed. */
  readonly #unflushed = new Set<string>();
  /** Segments that a recovery point may not pass yet, oldest first, and up to where each is to be flushed. */
  readonly #unsettled = new Map<LogSegment, Offset>();
  #namesChanged = false;
  /** The drop, once asked for. */
  #gone: PromiseWithResolvers<void> | undefined;
  #writtenEndOffset: Offset = Infinity;
  #durableEndOffset: Offset = Infinity;

  constructor(name: LogName, parts: StoreParts) {
    this.#name = name;
    this.#parts = parts;
    this.directory = `${parts.root}/${logDirectory(name)}`;
  }

  /** All below was flushed, so all that was acknowledged if the store flushes. Infinity before the log is loaded. */
  get durableEndOffset(): Offset {
    return this.#durableEndOffset;
  }

  /** The log was loaded up to `endOffset`, or cut to it. */
  endsAt(endOffset: Offset): void {
    this.#writtenEndOffset = Math.min(endOffset, this.#writtenEndOffset);
    this.#durableEndOffset = Math.min(endOffset, this.#durableEndOffset);
  }

  /** A file came or went in the log's directory. */
  namesChanged(): void {
    this.#namesChanged = true;
  }

  schedule(step: () => Promise<void>): void {
    this.#lastRun = undefined;
    this.#queue.push(step);
  }

  /** A step that has others made in its place when it is done: no call of `run` ends between them. */
  scheduleWithMore(step: () => Promise<void>): void {
    this.schedule(async () => {
      await step();
      this.#queue.goOn();
    });
  }

  /** @param part is told when it is written. */
  append({ segment, position, lastOffset, bytes }: PlacedBatch, part: TailPart): void {
    const last = this.#lastRun;
    if (last?.segment === segment) {
      last.chunks.push(bytes);
      last.parts.push(part);
      last.lastOffset = lastOffset;
      return;
    }
    const run: Run = { segment, position, lastOffset, chunks: [bytes], parts: [part] };
    this.schedule(() => this.#write(run));
    this.#lastRun = run;
  }

  create(before: Promise<void> | undefined): void {
    this.schedule(async () => {
      await before;
      const { disk } = this.#parts;
      await this.#moveStrayAside();
      await disk.makeDirectory(this.directory);
      await this.#writeName();
      this.#parts.rootChanged();
    });
  }

  /** Says which topic id the log has, which is there. */
  writeName(): void {
    this.schedule(() => this.#writeName());
  }

  async #writeName(): Promise<void> {
    const path = `${this.directory}/${PARTITION_METADATA}`;
    await replaceFile(this.#parts.disk, path, partitionMetadata(this.#name.topicId));
    this.#namesChanged = true;
  }

  /** A segment's file, empty, so that it is there whoever looks. */
  createSegment(segment: LogSegment): void {
    this.schedule(() => this.#makeFile(segment));
  }

  async #makeFile({ path }: LogSegment): Promise<void> {
    await this.#parts.files.use(path, async () => {}, true);
    this.#namesChanged = true;
  }

  /** Oldest first, so that a crash leaves a log without a hole. */
  removeSegments(segments: readonly LogSegment[], fileDeleteDelayMs: Millis): void {
    for (const segment of segments) this.#unsettled.delete(segment);
    this.changeNames(async () => {
      for (const segment of segments) {
        this.#unflushed.delete(segment.path);
        await retireSegment(this.#parts, segment, fileDeleteDelayMs);
      }
    });
  }

  /** They are no part of the log any more, and others have seen to their files. */
  replaced(segments: readonly LogSegment[]): void {
    for (const segment of segments) {
      this.#unflushed.delete(segment.path);
      this.#unsettled.delete(segment);
    }
  }

  /** Moves the recovery point to `offset` at least, once all below it is durable. */
  async settle(offset: Offset): Promise<void> {
    await this.#moveRecoveryPoint(offset, () => true);
  }

  /** Brings the files of a truncated segment down to what is left of it, and removes those after it, last first. */
  async cut(segment: LogSegment, after: readonly LogSegment[]): Promise<void> {
    // Before the batches ahead of them go: no crash may leave a hole.
    if (after.length > 0) await this.#removeFromEnd(after);
    await writeIndexes(segment);
    await this.#parts.files.use(segment.path, (file) => file.truncate(segment.sizeBytes), true);
    this.#unflushed.add(segment.path);
    this.#namesChanged = true;
  }

  /** Puts `segment`, empty, in the place of all there were. A log without any starts where its log start says. */
  async startAnew(segment: LogSegment, gone: readonly LogSegment[]): Promise<void> {
    await this.#removeFromEnd(gone);
    await this.#makeFile(segment);
  }

  async #removeFromEnd(segments: readonly LogSegment[]): Promise<void> {
    for (const gone of segments.toReversed()) {
      this.#unflushed.delete(gone.path);
      this.#unsettled.delete(gone);
      await removeSegment(this.#parts, gone);
    }
    await this.#parts.disk.flushDirectory(this.directory);
  }

  /** Does `step` once all that was written before it is durable. */
  scheduleFlushed(step: () => Promise<void>): void {
    this.schedule(async () => {
      if (this.#parts.flushes) await this.flush();
      // Without flushes what is known of producers, a value, may outlive what was written before it. Batches that are
      // lost nobody misses; of a marker that is not, only the index tells what it ended.
      else await this.aborted?.flush();
      await step();
    });
  }

  /** Replaces or removes files by name: durable after all that was written before it, and before the rest. */
  changeNames(step: () => Promise<void>): void {
    this.scheduleFlushed(async () => {
      await step();
      this.#namesChanged = true;
      if (this.#parts.flushes) await this.flush();
    });
  }

  /**
   * Moves the recovery point to the end that `segment` has now, in the background: all below it must be durable
   * first, indexes included. `isCurrent` says whether the log still reaches it then.
   */
  checkpoint(segment: LogSegment, isCurrent: () => boolean): void {
    const { baseOffset, nextOffset } = segment;
    this.schedule(async () => {
      // A log that was closed, and went on without one more batch in this segment: its indexes are written again, and
      // until they are flushed the point must not speak for them.
      const { recoveryPoints } = this.#parts;
      if ((recoveryPoints.get(this.#name.log) ?? 0) >= nextOffset) {
        recoveryPoints.set(this.#name, baseOffset);
        await recoveryPoints.save();
      }
      await writeIndexes(segment);
      this.#unsettled.set(segment, nextOffset);
      this.#parts.background(this.#moveRecoveryPoint(nextOffset, isCurrent));
    });
  }

  /** Renamed first, which is the moment it is gone; then removed in the background. */
  drop(): Promise<void> {
    const gone = Promise.withResolvers<void>();
    gone.promise.catch(() => {});
    this.#gone = gone;
    this.schedule(async () => {
      await this.#drop();
      gone.resolve();
    });
    return gone.promise;
  }

  /**
   * Writes the batches that wait, if that is all there is to do and the host does it on the spot: no promise a log.
   * @returns whether nothing is left for `run`.
   */
  runNow(): boolean {
    const run = this.#lastRun;
    if (run === undefined || this.#queue.size > 1) return false;
    const { segment, position, chunks } = run;
    const file = this.#parts.files.opened(segment.path);
    if (!file?.writeNow?.(position, chunks)) return false;
    this.#queue.clear();
    this.#lastRun = undefined;
    this.#written(run);
    return !this.#parts.flushes;
  }

  async run(): Promise<void> {
    try {
      await this.#queue.run();
      if (this.#parts.flushes) await this.flush();
    } catch (error) {
      this.giveUp(error);
      throw error;
    }
  }

  /** No step will be done any more: who waits for the drop hears of it. */
  giveUp(error: unknown): void {
    this.#gone?.reject(error);
  }

  /** A flush of a segment failed, and no load has written it again: a later one proves nothing. */
  get isSuspect(): boolean {
    return [...this.#parts.suspects].some((path) => path.startsWith(`${this.directory}/`));
  }

  /** Makes all that was written durable. */
  async flush(): Promise<void> {
    const endOffset = this.#writtenEndOffset;
    const paths = [...this.#unflushed];
    this.#unflushed.clear();
    const flushes = paths.map((path) => flushFile(this.#parts, path));
    if (this.aborted !== undefined) flushes.push(this.aborted.flush());
    if (this.#namesChanged) flushes.push(this.#parts.disk.flushDirectory(this.directory));
    this.#namesChanged = false;
    await Promise.all(flushes);
    const suspect = paths.find((path) => this.#parts.suspects.has(path));
    if (suspect !== undefined) throw new Error(`${suspect} is not durable: an earlier flush of it failed`);
    this.#durableEndOffset = endOffset;
  }

  async #write(run: Run): Promise<void> {
    if (this.#lastRun === run) this.#lastRun = undefined;
    const { segment, position, chunks } = run;
    await this.#parts.files.use(segment.path, (file) => file.write(position, chunks));
    this.#written(run);
  }

  #written({ segment, lastOffset, parts }: Run): void {
    this.#unflushed.add(segment.path);
    this.#writtenEndOffset = lastOffset + 1;
    for (const part of parts) part.unwritten--;
    this.#parts.tail.shrink();
  }

  /** A log that could not be read at the start was left alone; its batches must not show in the new one. */
  async #moveStrayAside(): Promise<void> {
    const { disk, files, root, warn } = this.#parts;
    await files.forgetUnder(`${this.directory}/`);
    const names = await disk.list(this.directory);
    if (!names.some((file) => segmentBase(file) !== undefined)) return disk.remove(this.directory);
    const former = `${root}/${formerDirectory(this.#name, 'stray')}`;
    let stray = former;
    // An attempt to make this log may have failed after it had moved another one aside.
    for (let more = 1; (await disk.list(stray)).length > 0; more++) stray = `${former}.${more}`;
    warn(`${this.directory} is needed for a new log: what it holds is now in ${stray}`);
    await disk.rename(this.directory, stray);
  }

  async #moveRecoveryPoint(offset: Offset, isCurrent: () => boolean): Promise<void> {
    const { recoveryPoints } = this.#parts;
    try {
      // An earlier segment's own flush may have failed, or be under way.
      for (const [segment, endOffset] of this.#unsettled) {
        await flushSegment(this.#parts, segment);
        if (this.#unsettled.get(segment) === endOffset) this.#unsettled.delete(segment);
      }
    } catch (error) {
      if (isCurrent()) throw error;
      return;
    }
    if (!isCurrent() || offset <= (recoveryPoints.get(this.#name.log) ?? 0)) return;
    recoveryPoints.set(this.#name, offset);
    await recoveryPoints.save();
  }

  async #drop(): Promise<void> {
    const { disk, files, root, recoveryPoints, logStarts, suspects } = this.#parts;
    for (const path of suspects) if (path.startsWith(`${this.directory}/`)) suspects.delete(path);
    const deleted = `${root}/${formerDirectory(this.#name, 'delete')}`;
    await files.forgetUnder(`${this.directory}/`);
    await disk.remove(deleted);
    await disk.rename(this.directory, deleted);
    this.#unflushed.clear();
    this.aborted = undefined;
    this.#namesChanged = false;
    this.#parts.rootChanged();
    const listed = [recoveryPoints, logStarts].filter((checkpoint) => checkpoint.delete(this.#name));
    // Lines about this log must go before another takes its name, and not before the log is gone for good.
    if (listed.length > 0) await disk.flushDirectory(root);
    await Promise.all(listed.map((checkpoint) => checkpoint.save()));
    this.#parts.background(disk.remove(deleted));
  }
}
