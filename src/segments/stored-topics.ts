import type { Kernels } from '../kernels/kernels.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { Files } from '../ports/files.ts';
import { records } from '../records/batch.ts';
import type { Codecs } from '../records/codecs.ts';
import { BatchHeader, CRC_START, forEachBatch, HEADER_SIZE } from '../records/header.ts';
import { formatOf } from './data-directory.ts';
import * as layout from './layout.ts';
import { parseLines } from './offset-checkpoint.ts';
import { headerFault } from './scan.ts';

export interface StoredTopicsOptions {
  files: Files;
  directory: string;
  kernels: Kernels;
  codecs: Codecs;
}

interface StoredPartition {
  path: string;
  startOffset: Offset;
  /** Base offsets, ascending. */
  segments: readonly Offset[];
  /** A segment was on its way to the place of others: which of them are still of the log nobody has seen to yet. */
  isSwapping: boolean;
}

type Topics = ReadonlyMap<string, ReadonlyMap<number, StoredPartition>>;

/** A log file that cannot be read on. */
export class DamagedLog extends Error {
  override name = 'DamagedLog';
  readonly path: string;
  /** Byte up to which it is whole. */
  readonly position: number;

  constructor(path: string, position: number, fault: string) {
    super(`${path} cannot be read beyond byte ${position}: ${fault}`);
    this.path = path;
    this.position = position;
  }
}

const SLICE_BYTES = 1024 * 1024;

/**
 * A data directory that nobody runs on, to be read and left as it is: nothing is recovered, cut or rebuilt. Its lock
 * keeps brokers out meanwhile.
 */
export class StoredTopics {
  readonly #options: StoredTopicsOptions;
  readonly #topics: Topics;
  readonly #wasClean: boolean;
  readonly #release: () => Promise<void>;

  private constructor(
    options: StoredTopicsOptions,
    found: { topics: Topics; wasClean: boolean; release: () => Promise<void> },
  ) {
    this.#options = options;
    this.#topics = found.topics;
    this.#wasClean = found.wasClean;
    this.#release = found.release;
  }

  /** @throws with a message for people when it is locked, or no data directory. */
  static async open(options: StoredTopicsOptions): Promise<StoredTopics> {
    const { files, directory } = options;
    const names = await files.list(directory);
    if (!names.includes(layout.META_PROPERTIES))
      throw new Error(`${directory} is no data directory: it has no ${layout.META_PROPERTIES}`);
    const format = await files.readFile(`${directory}/${layout.FORMAT}`);
    if (format !== undefined) formatOf(directory, format);
    const lock = await lockedFor(files, directory);
    try {
      const topics = await listTopics(options, names);
      const wasClean = names.includes(layout.CLEAN_SHUTDOWN);
      return new StoredTopics(options, { topics, wasClean, release: () => lock.release() });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#topics.keys()].toSorted();
  }

  /** One more than the highest partition there is; undefined when there is no such topic. */
  partitionsOf(topic: string): number | undefined {
    const partitions = this.#topics.get(topic);
    return partitions && Math.max(...partitions.keys()) + 1;
  }

  reader(topic: string): StoredReader {
    return new StoredReader(this.#options, this.#topics.get(topic) ?? new Map(), this.#wasClean);
  }

  close(): Promise<void> {
    return this.#release();
  }
}

/** Where nobody can write, nobody runs: there is nothing to lock, and nowhere to do it. */
async function lockedFor(files: Files, directory: string): Promise<{ release(): Promise<void> }> {
  try {
    return await files.lock(directory);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EROFS') throw error;
    return { release: () => Promise.resolve() };
  }
}

/** Batches of one topic, as its files keep them. */
export class StoredReader {
  readonly #options: StoredTopicsOptions;
  readonly #partitions: ReadonlyMap<number, StoredPartition>;
  readonly #wasClean: boolean;

  constructor(
    options: StoredTopicsOptions,
    partitions: ReadonlyMap<number, StoredPartition>,
    wasClean: boolean,
  ) {
    this.#options = options;
    this.#partitions = partitions;
    this.#wasClean = wasClean;
  }

  /** After a crash the end is where the last segment is still whole. @throws DamagedLog otherwise. */
  async bounds(partition: number): Promise<{ startOffset: Offset; endOffset: Offset }> {
    const log = this.#partitions.get(partition);
    if (log === undefined) return { startOffset: 0, endOffset: 0 };
    if (log.isSwapping)
      throw new Error(`${log.path} was being compacted when its broker died: start one on it, then read it`);
    const last = log.segments.at(-1) ?? 0;
    let endOffset = Math.max(last, log.startOffset);
    try {
      for await (const bytes of this.#segment(log, last))
        forEachBatch(bytes, (batch) => (endOffset = Math.max(endOffset, batch.lastOffset + 1)));
    } catch (error) {
      if (!(error instanceof DamagedLog) || this.#wasClean) throw error;
    }
    return { startOffset: log.startOffset, endOffset };
  }

  /** Offset of the first record at or after `timestamp`; undefined when there is none. Reads all before it. */
  async offsetAt(partition: number, timestamp: Millis): Promise<Offset | undefined> {
    const { kernels, codecs } = this.#options;
    const { startOffset, endOffset } = await this.bounds(partition);
    for await (const bytes of this.batches(partition, startOffset, endOffset)) {
      const header = new BatchHeader(bytes);
      for (let at = 0; at < bytes.length; at += header.seek(at).sizeBytes) {
        if (header.seek(at).maxTimestamp < timestamp) continue;
        const batch = await records(header.bytes, kernels, codecs);
        for (const record of batch)
          if (record.timestamp >= timestamp && record.offset >= startOffset) return record.offset;
      }
    }
    return undefined;
  }

  /** Whole, checked batches that reach into `[fromOffset, endOffset)`, several at once. @throws DamagedLog */
  async *batches(partition: number, fromOffset: Offset, endOffset: Offset): AsyncGenerator<Uint8Array> {
    const log = this.#partitions.get(partition);
    if (log === undefined || fromOffset >= endOffset) return;
    const first = log.segments.findLastIndex((base) => base <= fromOffset);
    for (const base of log.segments.slice(Math.max(first, 0))) {
      if (base >= endOffset) return;
      for await (const bytes of this.#segment(log, base, endOffset)) {
        const wanted = within(bytes, fromOffset);
        if (wanted.length > 0) yield wanted;
      }
    }
  }

  /** The batches of a segment below `endOffset`, whole and true, a slice at a time. */
  async *#segment(log: StoredPartition, base: Offset, endOffset = Infinity): AsyncGenerator<Uint8Array> {
    const path = `${log.path}/${layout.segmentFile(base, 'log')}`;
    const file = await this.#options.files.open(path);
    try {
      const sizeBytes = await file.size();
      let nextOffset = base;
      let wantedBytes = SLICE_BYTES;
      for (let position = 0; position < sizeBytes;) {
        const bytes = new Uint8Array(Math.min(wantedBytes, sizeBytes - position));
        await file.read(position, bytes);
        const found = this.#check(bytes, nextOffset, endOffset);
        if (found.usedBytes > 0) yield bytes.subarray(0, found.usedBytes);
        if (found.isOver || found.nextOffset >= endOffset) return;
        position += found.usedBytes;
        nextOffset = found.nextOffset;
        const torn = found.neededBytes > sizeBytes - position ? 'the last batch is torn' : undefined;
        const fault = found.fault ?? (position < sizeBytes ? torn : undefined);
        if (fault !== undefined) throw new DamagedLog(path, position, fault);
        wantedBytes = Math.max(SLICE_BYTES, found.neededBytes);
      }
    } finally {
      await file.close();
    }
  }

  /** How much of `bytes` is whole batches; what the next one needs, or why there is none. */
  #check(bytes: Uint8Array, startOffset: Offset, endOffset: Offset) {
    const header = new BatchHeader(bytes);
    let nextOffset = startOffset;
    let usedBytes = 0;
    const found = (rest: { neededBytes?: number; fault?: string; isOver?: boolean }) => ({
      usedBytes,
      nextOffset,
      neededBytes: 0,
      isOver: false,
      fault: undefined,
      ...rest,
    });
    while (usedBytes < bytes.length) {
      const left = bytes.length - usedBytes;
      if (left < HEADER_SIZE) return found({ neededBytes: HEADER_SIZE });
      const { sizeBytes } = header.seek(usedBytes);
      const fault = headerFault(header, nextOffset);
      if (fault !== undefined) return found({ fault });
      if (header.baseOffset >= endOffset) return found({ isOver: true });
      if (left < sizeBytes) return found({ neededBytes: sizeBytes });
      const covered = bytes.subarray(usedBytes + CRC_START, usedBytes + sizeBytes);
      if (this.#options.kernels.crc32c(covered) !== header.crc)
        return found({ fault: 'a checksum is wrong' });
      nextOffset = header.lastOffset + 1;
      usedBytes += sizeBytes;
    }
    return found({ neededBytes: HEADER_SIZE });
  }
}

/** Without the batches that end below `fromOffset`. */
function within(bytes: Uint8Array, fromOffset: Offset): Uint8Array {
  let start = 0;
  forEachBatch(bytes, (batch) => {
    if (batch.lastOffset < fromOffset) start = batch.position + batch.sizeBytes;
  });
  return bytes.subarray(start);
}

async function listTopics(
  { files, directory }: StoredTopicsOptions,
  names: readonly string[],
): Promise<Topics> {
  const starts = parseLines((await files.readFile(`${directory}/${layout.LOG_STARTS}`)) ?? new Uint8Array(0));
  const topics = new Map<string, Map<number, StoredPartition>>();
  for (const name of names) {
    const place = layout.parseLogDirectory(name);
    const path = `${directory}/${name}`;
    if (place === undefined || !(await files.readFile(`${path}/${layout.PARTITION_METADATA}`))) continue;
    const held = await files.list(path);
    const isSwapping = held.some((file) => layout.swapBase(file) !== undefined);
    const bases = held.map(layout.segmentBase).filter((base) => base !== undefined);
    const segments = bases.toSorted((a, b) => a - b);
    const partitions = topics.get(place.topic) ?? new Map<number, StoredPartition>();
    const startOffset = starts?.get(name) ?? segments[0] ?? 0;
    partitions.set(place.partition, { path, segments, startOffset, isSwapping });
    topics.set(place.topic, partitions);
  }
  return topics;
}
