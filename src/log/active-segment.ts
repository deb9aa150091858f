import type { LogKey, Millis, Offset } from '../model/ids.ts';
import type { Segment } from '../ports/log-store.ts';
import { HEADER_SIZE } from '../records/header.ts';
import type { BatchHeader } from '../records/header.ts';
import type { LogConfig } from './config.ts';

export const INT32_MAX = 0x7fff_ffff;
/** Of the two indexes the one with larger entries. */
export const TIME_INDEX_ENTRY_BYTES = 12;

/** What decides when the next segment starts. Ahead of the store by the appends not committed yet. */
export class ActiveSegment {
  readonly #log: LogKey;
  readonly baseOffset: Offset;
  #sizeBytes = 0;
  /** Largest timestamp of its first batch, -1 while it has none. */
  #firstTimestamp: Millis = -1;

  constructor(log: LogKey, baseOffset: Offset) {
    this.#log = log;
    this.baseOffset = baseOffset;
  }

  /** The segment that takes the append at `endOffset`. */
  static before(log: LogKey, endOffset: Offset, segments: readonly Segment[]): ActiveSegment {
    const stored = segments.findLast(({ baseOffset }) => baseOffset <= endOffset);
    if (!stored || stored.baseOffset === endOffset) return new ActiveSegment(log, endOffset);
    const segment = new ActiveSegment(log, stored.baseOffset);
    segment.#sizeBytes = stored.sizeBytes;
    segment.#firstTimestamp = stored.firstTimestamp;
    return segment;
  }

  /** Kafka's rule; age is by record time, not by the clock. */
  mustRoll(batch: BatchHeader, config: LogConfig): boolean {
    if (this.#sizeBytes === 0) return false;
    return (
      this.#sizeBytes + batch.sizeBytes > config.segmentBytes ||
      (this.#firstTimestamp >= 0 && batch.maxTimestamp - this.#firstTimestamp > this.#lifeMs(config)) ||
      this.#mostIndexEntries(config) >= config.segmentIndexBytes / TIME_INDEX_ENTRY_BYTES - 1 ||
      batch.lastOffset - this.baseOffset > INT32_MAX
    );
  }

  add(batch: BatchHeader): void {
    if (this.#sizeBytes === 0) this.#firstTimestamp = batch.maxTimestamp;
    this.#sizeBytes += batch.sizeBytes;
  }

  #lifeMs(config: LogConfig): Millis {
    const segmentMs = maxSegmentMs(config);
    const { segmentJitterMs } = config;
    if (segmentJitterMs === 0) return segmentMs;
    return segmentMs - Math.min(segmentJitterMs, segmentMs) * spread(`${this.#log}/${this.baseOffset}`);
  }

  /** An index entry comes at most every `index.interval.bytes`, and no batch has two. */
  #mostIndexEntries(config: LogConfig): number {
    return this.#sizeBytes / Math.max(config.indexIntervalBytes, HEADER_SIZE);
  }
}

/** What must be compacted soon may not stay in the active segment, which never is. */
function maxSegmentMs({ cleanupPolicy, segmentMs, maxCompactionLagMs }: LogConfig): Millis {
  return cleanupPolicy.includes('compact') ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs;
}

/** From 0 to below 1, for each text another and always the same: where Kafka takes chance (FNV-1a). */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return (hash >>> 0) / 2 ** 32;
}
