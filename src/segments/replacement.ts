import { at, invariant } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import type { LogName, ReplacedRange, Replacement } from '../ports/log-store.ts';
import { forEachBatch } from '../records/header.ts';
import { CLEANED_SUFFIX } from './layout.ts';
import type { LogDisk } from './log-disk.ts';
import { flushSegment, removeSegment, writeIndexes } from './log-loader.ts';
import { LogSegment } from './log-segment.ts';
import type { LogState } from './log-state.ts';
import type { StoreParts } from './parts.ts';
import { swapIn } from './swap.ts';
import { Unchecked } from './unchecked.ts';

/** What it needs of its log. */
export interface ReplacedLog {
  parts: StoreParts;
  disk: LogDisk;
  /** As it is when the replacement begins. */
  state: LogState;
  name: LogName;
  /** Has the log do `step` on disk when its turn has come. @throws when the log has failed. */
  commit: (step: () => Promise<void>) => Promise<void>;
}

/**
 * Closed segments that are written anew into one, aside, as Kafka's cleaner does. Nobody sees it before it is whole and
 * durable; then its files take the place of theirs.
 */
export class SegmentReplacement implements Replacement {
  readonly #range: ReplacedRange;
  readonly #log: ReplacedLog;
  readonly #generation: number;
  readonly #draft: LogSegment;
  #isBegun = false;

  constructor(range: ReplacedRange, log: ReplacedLog) {
    const { state, parts, disk } = log;
    const closed = state.segments.slice(0, -1);
    const isWhole =
      closed.some(({ baseOffset }) => baseOffset === range.fromOffset) &&
      closed.some(({ nextOffset }) => nextOffset === range.toOffset);
    invariant(isWhole, 'whole closed segments are replaced');
    this.#range = range;
    this.#log = log;
    this.#generation = state.generation;
    this.#draft = new LogSegment(disk.directory, range.fromOffset, parts, CLEANED_SUFFIX);
  }

  async write(batches: Uint8Array, nextOffset: Offset): Promise<void> {
    invariant(nextOffset <= this.#range.toOffset, 'a replacement stays in its range');
    if (!this.#isBegun) await this.#begin();
    const { files } = this.#log.parts;
    const draft = this.#draft;
    const position = draft.sizeBytes;
    forEachBatch(batches, ({ baseOffset, lastOffset, maxTimestamp, sizeBytes }) => {
      const place = { baseOffset, lastOffset, maxTimestamp, sizeBytes };
      invariant(lastOffset < nextOffset && draft.takes(place), 'a replacement fits one segment');
      draft.append(place);
    });
    if (batches.length > 0) await files.use(draft.path, (file) => file.write(position, [batches]));
    if (draft.offsets.isDue) await writeIndexes(draft);
  }

  async finish(): Promise<boolean> {
    const { parts, disk, name, commit } = this.#log;
    const { toOffset } = this.#range;
    const draft = this.#draft;
    if (!this.#isBegun) await this.#begin();
    draft.close(toOffset);
    await writeIndexes(draft);
    await flushSegment(parts, draft);
    let isDone = false;
    await commit(async () => {
      if (!this.#isCurrent) return;
      // Beyond it a segment goes on where the one before it ended, and this one may end sooner.
      if ((parts.recoveryPoints.get(name.log) ?? 0) < toOffset) await disk.settle(toOffset);
      if (!this.#isCurrent) return;
      await this.#swap();
      isDone = true;
    });
    if (!isDone) await this.abandon();
    return isDone;
  }

  async abandon(): Promise<void> {
    const { state, parts } = this.#log;
    // What was the log's directory may be another's.
    if (!state.isGone) await removeSegment(parts, this.#draft);
  }

  get #isCurrent(): boolean {
    return this.#log.state.generation === this.#generation;
  }

  /** What an attempt before it has left is no part of it. */
  async #begin(): Promise<void> {
    this.#isBegun = true;
    await this.abandon();
    const { files } = this.#log.parts;
    await files.use(this.#draft.path, async () => {}, true);
    await writeIndexes(this.#draft);
  }

  /** Reads that are under way find that the log has changed, and read again once it is done. */
  async #swap(): Promise<void> {
    const { parts, disk, state } = this.#log;
    const { fromOffset, toOffset, fileDeleteDelayMs = 0 } = this.#range;
    const number = state.segments.findIndex(({ baseOffset }) => baseOffset === fromOffset);
    const end = state.segments.findIndex(({ nextOffset }) => nextOffset === toOffset) + 1;
    const old = state.segments.slice(number, end);
    invariant(at(old, 0).baseOffset === fromOffset, 'what is replaced is there');
    const swapped = Promise.withResolvers<void>();
    state.swapping = swapped.promise;
    state.generation++;
    try {
      const { directory } = disk;
      const segment = await swapIn(parts, {
        directory,
        draft: this.#draft,
        old,
        toOffset,
        fileDeleteDelayMs,
      });
      // It was written and flushed by this process.
      segment.unchecked = Unchecked.nothing;
      disk.replaced(old);
      state.tail.dropBelow(toOffset);
      state.segments.splice(number, old.length, segment);
      if (old.length > 1) await state.aborted.settle(state.segments);
      state.generation++;
    } finally {
      state.swapping = undefined;
      swapped.resolve();
    }
  }
}
