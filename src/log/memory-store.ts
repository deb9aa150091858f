import { type AbortedTransaction, AbortedTransactions } from '../model/aborted.ts';
import { at, invariant } from '../model/assert.ts';
import { concat } from '../model/bytes.ts';
import type { LogKey, Millis, Offset } from '../model/ids.ts';
import { firstReaching } from '../model/search.ts';
import type {
  LogExtent,
  LogName,
  LogStore,
  LogWrite,
  ReadRange,
  ReplacedRange,
  Replacement,
  Segment,
} from '../ports/log-store.ts';
import { sizeOfAll } from '../ports/log-store.ts';
import { keepable } from '../records/keepable.ts';
import { type HeldBatch, RowReplacement } from './row-replacement.ts';

/** One log: its batches, where its segments start, and the values beside it. */
class MemoryLog {
  readonly name: LogName;
  readonly values = new Map<string, Uint8Array>();
  readonly aborted = new AbortedTransactions();
  batches: HeldBatch[] = [];
  segmentBases: Offset[] = [0];
  startOffset: Offset = 0;
  endOffset: Offset = 0;
  /** How often batches went; infinite once all did. */
  cuts = 0;

  constructor(name: LogName) {
    this.name = name;
  }

  append({ baseOffset, lastOffset, maxTimestamp, bytes }: HeldBatch): void {
    invariant(baseOffset >= this.endOffset, 'appends go to the end of a log');
    this.batches.push({ baseOffset, lastOffset, maxTimestamp, bytes: keepable(bytes) });
    this.endOffset = lastOffset + 1;
  }

  roll(): void {
    if (this.segmentBases.at(-1) !== this.endOffset) this.segmentBases.push(this.endOffset);
  }

  truncate(toOffset: Offset): void {
    this.cuts++;
    this.batches = this.batches.filter(({ lastOffset }) => lastOffset < toOffset);
    const keptEnd = (this.batches.at(-1)?.lastOffset ?? -1) + 1;
    this.endOffset = Math.max(keptEnd, Math.min(this.endOffset, this.startOffset));
    this.segmentBases = this.segmentBases.filter((base, index) => index === 0 || base <= this.endOffset);
    this.aborted.replaceFrom(this.endOffset, []);
  }

  trim(beforeOffset: Offset): void {
    this.startOffset = Math.max(this.startOffset, beforeOffset);
    this.endOffset = Math.max(this.endOffset, this.startOffset);
    const active = this.segmentBases.findLastIndex((base) => base <= this.startOffset);
    this.segmentBases = this.segmentBases.slice(Math.max(active, 0));
    const oldest = at(this.segmentBases, 0);
    if (active > 0) this.cuts++;
    this.batches = this.batches.filter(({ baseOffset }) => baseOffset >= oldest);
    this.aborted.dropBelow(oldest);
  }

  dropped(): void {
    this.cuts = Infinity;
  }

  replace(range: ReplacedRange): Replacement {
    const { cuts } = this;
    return new RowReplacement(range, {
      isCurrent: () => this.cuts === cuts,
      rowStart: (offset) => offset,
      replaceRows: async ({ fromOffset, toOffset }, batches) => {
        const start = this.floor(fromOffset);
        const kept = batches.map((batch) => ({ ...batch, bytes: keepable(batch.bytes) }));
        this.batches.splice(start, this.floor(toOffset) - start, ...kept);
      },
      mergeSegments: async ({ fromOffset, toOffset }) => {
        const isKept = (base: Offset) => base <= fromOffset || base >= toOffset;
        this.segmentBases = this.segmentBases.filter(isKept);
      },
    });
  }

  /** Number of the batch that holds `offset`, or of the next one. */
  floor(offset: Offset): number {
    return firstReaching(this.batches, offset);
  }

  segment(index: number): Segment {
    const baseOffset = at(this.segmentBases, index);
    const nextOffset = this.segmentBases[index + 1] ?? this.endOffset;
    const batches = this.batches.slice(this.floor(baseOffset), this.floor(nextOffset));
    return {
      baseOffset,
      nextOffset,
      sizeBytes: batches.reduce((sum, { bytes }) => sum + bytes.length, 0),
      maxTimestamp: batches.reduce((largest, batch) => Math.max(largest, batch.maxTimestamp), -1),
      firstTimestamp: batches[0]?.maxTimestamp ?? -1,
    };
  }
}

/** A `LogStore` that forgets: for `--memory`, tests and the simulator. Durable means applied. */
export class MemoryLogStore implements LogStore {
  readonly #logs = new Map<LogKey, MemoryLog>();
  #round: Promise<void> | undefined;

  logs(): readonly LogName[] {
    return [...this.#logs.values()].map(({ name }) => name);
  }

  async sizeBytes(log: LogKey): Promise<number> {
    return sizeOfAll(this.segments(log));
  }

  async open(log: LogKey): Promise<LogExtent> {
    const { startOffset, endOffset } = this.#log(log);
    return { logStartOffset: startOffset, logEndOffset: endOffset };
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    for (const write of writes) this.#apply(write);
    this.#round ??= Promise.resolve().then(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  read(log: LogKey, { fromOffset, endOffset, maxBytes }: ReadRange): Uint8Array {
    const { batches } = this.#log(log);
    const chosen: Uint8Array[] = [];
    let sizeBytes = 0;
    for (let next = this.#log(log).floor(fromOffset); next < batches.length; next++) {
      const { lastOffset, bytes } = at(batches, next);
      if (lastOffset >= endOffset || (chosen.length > 0 && sizeBytes + bytes.length > maxBytes)) break;
      chosen.push(bytes);
      sizeBytes += bytes.length;
    }
    return chosen.length === 1 ? at(chosen, 0) : concat(chosen);
  }

  replace(log: LogKey, range: ReplacedRange): Replacement {
    return this.#log(log).replace(range);
  }

  segments(log: LogKey): readonly Segment[] {
    const held = this.#log(log);
    return held.segmentBases.map((_, index) => held.segment(index));
  }

  async batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    const held = this.#log(log);
    const late = held.batches.slice(held.floor(fromOffset)).find((batch) => batch.maxTimestamp >= timestamp);
    return late?.baseOffset;
  }

  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    return this.#log(log).aborted.overlapping(range.fromOffset, range.endOffset);
  }

  async get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#log(log).values.get(name);
  }

  async names(log: LogKey): Promise<readonly string[]> {
    return [...this.#log(log).values.keys()];
  }

  async close(): Promise<void> {
    await this.#round;
  }

  #apply(write: LogWrite): void {
    switch (write.type) {
      case 'create': {
        const { type: _, ...name } = write;
        if (!this.#logs.has(name.log)) this.#logs.set(name.log, new MemoryLog(name));
        return;
      }
      case 'append':
        return this.#log(write.log).append(write);
      case 'roll':
        return this.#log(write.log).roll();
      case 'truncate':
        return this.#log(write.log).truncate(write.toOffset);
      case 'trim':
        return this.#log(write.log).trim(write.beforeOffset);
      case 'drop':
        this.#logs.get(write.log)?.dropped();
        this.#logs.delete(write.log);
        return;
      case 'put':
        this.#log(write.log).values.set(write.name, write.value);
        return;
      case 'delete':
        this.#log(write.log).values.delete(write.name);
        return;
      case 'aborted':
        this.#log(write.log).aborted.replaceFrom(write.fromOffset, write.transactions);
    }
  }

  #log(log: LogKey): MemoryLog {
    const held = this.#logs.get(log);
    if (!held) throw new Error(`no such log: ${log}`);
    return held;
  }
}
