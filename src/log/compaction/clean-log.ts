import { concat } from '../../model/bytes.ts';
import { invariant } from '../../model/assert.ts';
import type { Offset } from '../../model/ids.ts';
import type { LogStore, LogWrite, Replacement } from '../../ports/log-store.ts';
import { BatchHeader, offsetAfter } from '../../records/header.ts';
import { TIME_INDEX_ENTRY_BYTES } from '../active-segment.ts';
import type { LogConfig } from '../config.ts';
import type { PartitionLog } from '../partition-log.ts';
import { type CleanCounts, type CleanPass, cleanBatch, lastBatchesOf, mapBatch } from './batch-cleaner.ts';
import { type Cleanable, type Group, groupsOf } from './cleanable.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { KeyOffsets } from './key-offsets.ts';

export interface CleanLogParts extends Pick<CleanPass, 'kernels' | 'codecs' | 'nowMs'> {
  store: LogStore;
  config: LogConfig;
  /** See {@link KeyOffsets}. */
  budgetBytes: number;
  loadFactor: number;
  seed: readonly number[];
  /** Read at once: what is done between two waits. */
  chunkBytes: number;
  /** Writes to the log's own, after all that was written before. */
  commit: (writes: readonly LogWrite[]) => Promise<void>;
  /**
   * Called each time so many bytes were read or written, before more are.
   * @returns false when the pass is to end where it is.
   */
  pace(bytes: number): Promise<boolean>;
}

/** What a pass has done. */
export interface Cleaned extends CleanCounts {
  /** Where the next one begins. */
  cleanedOffset: Offset;
  bytesRead: number;
  bytesWritten: number;
  /** Of the key table, when it was fullest. */
  utilization: number;
}

/** The pass is to end where it is: what was replaced stays replaced. */
class Stopped extends Error {}

const NO_BYTES = new Uint8Array(0);

/**
 * One pass over a log: learns where the keys of its dirty part stand, as many as fit, then writes all segments up to
 * there anew without what is superseded. What it holds at a time is the table and a chunk.
 * @returns undefined when it ended early.
 * @throws {KafkaError} when a batch cannot be read; what the store throws.
 */
export async function cleanLog(
  log: PartitionLog,
  cleanable: Cleanable,
  parts: CleanLogParts,
): Promise<Cleaned | undefined> {
  try {
    return await new Pass(log, cleanable, parts).run();
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  }
}

class Pass {
  readonly #log: PartitionLog;
  readonly #cleanable: Cleanable;
  readonly #parts: CleanLogParts;
  readonly #keys: KeyOffsets;
  readonly #cleaned: Cleaned;
  /** Chunks are read into it, one after the other: new memory for each is garbage faster than it is collected. */
  readonly #memory: Uint8Array;
  /** And what is left of each is put together there. */
  readonly #mended: Uint8Array;

  constructor(log: PartitionLog, cleanable: Cleanable, parts: CleanLogParts) {
    this.#log = log;
    this.#cleanable = cleanable;
    this.#parts = parts;
    const { firstDirtyOffset, endOffset } = cleanable;
    this.#memory = new Uint8Array(2 * parts.chunkBytes);
    this.#mended = new Uint8Array(2 * parts.chunkBytes);
    this.#keys = new KeyOffsets({ ...parts, keysMax: endOffset - firstDirtyOffset }, parts.seed);
    const counts = { recordsRead: 0, recordsKept: 0, bytesRead: 0, bytesWritten: 0, utilization: 0 };
    this.#cleaned = { cleanedOffset: firstDirtyOffset, ...counts };
  }

  async run(): Promise<Cleaned> {
    const keysEndOffset = await this.#mapKeys();
    this.#cleaned.utilization = this.#keys.utilization;
    const { kernels, codecs, nowMs, config, store } = this.#parts;
    const pass: CleanPass = {
      kernels,
      codecs,
      keys: this.#keys,
      keysEndOffset,
      endOffset: this.#cleanable.endOffset,
      transactions: this.#transactions(this.#log.logStartOffset),
      producers: lastBatchesOf(this.#log.producers),
      nowMs,
      deleteRetentionMs: config.deleteRetentionMs,
    };
    const bounds = {
      segmentBytes: config.segmentBytes,
      indexEntriesMax: config.segmentIndexBytes / TIME_INDEX_ENTRY_BYTES,
      indexIntervalBytes: config.indexIntervalBytes,
    };
    const groups = groupsOf(store.segments(this.#log.name.log), keysEndOffset, bounds);
    for (const group of groups) await this.#replace(group, pass);
    this.#cleaned.cleanedOffset = keysEndOffset;
    return this.#cleaned;
  }

  /** @returns where what the keys tell of ends: exclusive. */
  async #mapKeys(): Promise<Offset> {
    const { firstDirtyOffset, endOffset } = this.#cleanable;
    const transactions = this.#transactions(firstDirtyOffset);
    const pass = { ...this.#parts, keys: this.#keys, transactions };
    let mappedEnd = firstDirtyOffset;
    for await (const chunk of this.#chunks(firstDirtyOffset, endOffset)) {
      for (const header of batchesIn(chunk)) {
        if ((await mapBatch(header, pass, firstDirtyOffset)) === 'full') {
          invariant(mappedEnd > firstDirtyOffset, 'the keys of one batch fit');
          return mappedEnd;
        }
        mappedEnd = header.lastOffset + 1;
      }
    }
    return endOffset;
  }

  /** Those that were aborted and have something at or above `fromOffset`. */
  #transactions(fromOffset: Offset): CleanedTransactions {
    return new CleanedTransactions(this.#log.aborted({ fromOffset, endOffset: this.#cleanable.endOffset }));
  }

  /** Where nothing changes the segment stays as it is. */
  async #replace({ fromOffset, toOffset, segments }: Group, pass: CleanPass): Promise<void> {
    const { store, config } = this.#parts;
    const { fileDeleteDelayMs } = config;
    const replacement = store.replace(this.#log.name.log, { fromOffset, toOffset, fileDeleteDelayMs });
    let isChanged = segments > 1;
    try {
      for await (const chunk of this.#chunks(Math.max(fromOffset, this.#log.logStartOffset), toOffset)) {
        const kept: Uint8Array[] = [];
        let nextOffset = fromOffset;
        for (const header of batchesIn(chunk)) {
          const left = await cleanBatch(header, pass, this.#cleaned);
          isChanged ||= left?.buffer !== chunk.buffer;
          if (left !== undefined) kept.push(left);
          nextOffset = header.lastOffset + 1;
        }
        await this.#write(replacement, this.#together(kept), nextOffset);
      }
      await this.#write(replacement, NO_BYTES, toOffset);
      if (!isChanged) return await replacement.abandon();
      // Before a marker goes; one that goes has been idle for delete.retention.ms.
      const writes = this.#log.forgetAborted(pass.transactions.takeIdle());
      if (writes.length > 0) await this.#parts.commit(writes);
    } catch (error) {
      await replacement.abandon();
      throw error;
    }
    if (!(await replacement.finish())) throw new Stopped();
  }

  /** As they lie, where that is one behind the other. */
  #together(kept: readonly Uint8Array[]): Uint8Array {
    const [first = NO_BYTES] = kept;
    let end = first.byteOffset;
    const isRun = kept.every(({ buffer, byteOffset, length }) => {
      const isNext = buffer === first.buffer && byteOffset === end;
      end += length;
      return isNext;
    });
    if (isRun) return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
    return concat(kept, (sizeBytes) =>
      sizeBytes <= this.#mended.length ? this.#mended.subarray(0, sizeBytes) : new Uint8Array(sizeBytes),
    );
  }

  async #write(replacement: Replacement, bytes: Uint8Array, nextOffset: Offset): Promise<void> {
    await replacement.write(bytes, nextOffset);
    this.#cleaned.bytesWritten += bytes.length;
    await this.#pace(bytes.length);
  }

  /** Whole batches in order, several at once; they are good until the next are asked for. */
  async *#chunks(fromOffset: Offset, endOffset: Offset): AsyncGenerator<Uint8Array> {
    const { chunkBytes: maxBytes } = this.#parts;
    const range = { endOffset, maxBytes, isVerified: true, into: this.#memory };
    for (let next = fromOffset; next < endOffset;) {
      const chunk = await this.#log.read({ ...range, fromOffset: next });
      // The log start has moved on: so will the segments.
      if (chunk === undefined) throw new Stopped();
      const after = offsetAfter(chunk);
      if (after === undefined) return;
      this.#cleaned.bytesRead += chunk.length;
      await this.#pace(chunk.length);
      yield chunk;
      next = after;
    }
  }

  async #pace(bytes: number): Promise<void> {
    if (!(await this.#parts.pace(bytes))) throw new Stopped();
  }
}

/** One object for all of them. */
function* batchesIn(chunk: Uint8Array): Generator<BatchHeader> {
  const header = new BatchHeader(chunk);
  for (let at = 0; at < chunk.length; at += header.seek(at).sizeBytes) yield header.seek(at);
}
