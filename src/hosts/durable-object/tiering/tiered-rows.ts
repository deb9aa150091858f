import type { HeldBatch } from '../../../log/row-replacement.ts';
import type { RemoteSegment } from '../../../log/tiering/remote-segment.ts';
import { invariant } from '../../../model/assert.ts';
import type { Millis, Offset } from '../../../model/ids.ts';
import type { ReadRange, ReplacedRange } from '../../../ports/log-store.ts';
import type { RemoteStorage } from '../../../ports/remote-storage.ts';
import type { BatchRows, Sums } from '../batch-rows.ts';
import { batchesDigest } from './digest.ts';
import { type RemoteReader, RemoteSegmentGone } from './remote-reader.ts';
import type { RemoteRows } from './remote-rows.ts';

/** Where segments go that are no rows any more. */
export interface Remote {
  storage: RemoteStorage;
  reader: RemoteReader;
}

const EMPTY = new Uint8Array(0);
/** Batches that come back share a row up to this size. */
const ROW_BYTES = 1024 * 1024;

/**
 * All batches of one log, whether they are rows or not. What is in remote storage alone is like one large row that is
 * not here: it is replaced whole, and by rows.
 */
export class TieredRows {
  readonly #rows: BatchRows;
  readonly #remoteRows: RemoteRows;
  readonly #remote: Remote | undefined;
  readonly #now: () => Millis;

  constructor(
    rows: BatchRows,
    remoteRows: RemoteRows,
    { remote, now }: { remote: Remote | undefined; now: () => Millis },
  ) {
    this.#rows = rows;
    this.#remoteRows = remoteRows;
    this.#remote = remote;
    this.#now = now;
  }

  /** As {@link LogStore.read}: at once what is in rows. */
  read(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const remote = this.#remoteRows.reaching(range.fromOffset);
    if (remote === undefined) return this.#rows.read(range);
    const { baseOffset } = remote;
    if (range.fromOffset < baseOffset) {
      const bytes = this.#rows.read({ ...range, endOffset: Math.min(range.endOffset, baseOffset) });
      if (bytes.length > 0) return bytes;
    }
    return baseOffset < range.endOffset ? this.#readRemote(remote, range) : EMPTY;
  }

  async #readRemote(remote: RemoteSegment, range: ReadRange): Promise<Uint8Array> {
    const { storage, reader } = this.#storage();
    const { nextOffset } = remote;
    try {
      const bytes = await reader.read(storage, remote, range);
      // What is left of a segment may end before it does.
      if (bytes.length > 0 || nextOffset >= range.endOffset) return bytes;
      return await this.read({ ...range, fromOffset: nextOffset });
    } catch (error) {
      if (!(error instanceof RemoteSegmentGone) || this.#remoteRows.get(remote.id)?.isLocal === false)
        throw error;
      return this.read(range);
    }
  }

  /** What has to be read of remote storage next, by whoever wants all from `offset` on. */
  remoteAt(offset: Offset): RemoteSegment | undefined {
    const remote = this.#remoteRows.reaching(offset);
    if (remote === undefined || offset >= remote.baseOffset) return remote;
    const range = { fromOffset: offset, endOffset: remote.baseOffset, maxBytes: 1 };
    return this.#rows.read(range).length === 0 ? remote : undefined;
  }

  /** Base offset of the first batch at or after `fromOffset` whose max timestamp is >= `timestamp`. */
  async batchAt(timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    for (let from = fromOffset; ;) {
      const remote = this.#remoteRows.onlyRemote.find(
        ({ nextOffset, maxTimestamp }) => nextOffset > from && maxTimestamp >= timestamp,
      );
      const here = this.#rows.batchAt(timestamp, from);
      if (remote === undefined || (here !== undefined && here < remote.baseOffset)) return here;
      const { storage, reader } = this.#storage();
      const there = await reader.batchAt(storage, remote, { timestamp, fromOffset: from });
      if (there !== undefined) return there;
      from = remote.nextOffset;
    }
  }

  /** Follows the last batch; 0 when there is none. */
  endOffset(): Offset {
    return Math.max(this.#rows.endOffset(), this.#remoteRows.end);
  }

  sums(offset: Offset, endOffset: Offset = Number.MAX_SAFE_INTEGER): Sums {
    const sums = this.#rows.sums(offset, endOffset);
    for (const remote of this.#remoteRows.onlyRemote) {
      if (remote.baseOffset < offset || remote.baseOffset >= endOffset) continue;
      sums.sizeBytes += remote.sizeBytes;
      sums.maxTimestamp = Math.max(sums.maxTimestamp, remote.maxTimestamp);
      const isFirst = this.#rows.rowStart(offset) >= remote.baseOffset || sums.firstTimestamp < 0;
      if (isFirst) sums.firstTimestamp = remote.firstTimestamp;
    }
    return sums;
  }

  dropBelow(offset: Offset): void {
    this.#rows.dropBelow(offset);
    this.#remoteRows.outdate(({ nextOffset }) => nextOffset <= offset, this.#now());
  }

  /** Drops every batch that reaches `toOffset`. @returns whether there was one. */
  cutFrom(toOffset: Offset): boolean {
    const end = this.#remoteRows.end;
    invariant(toOffset >= end, 'what is in remote storage is committed, and is not cut');
    this.#remoteRows.outdate(({ nextOffset }) => nextOffset > toOffset, this.#now());
    return this.#rows.cutFrom(toOffset);
  }

  rowStart(offset: Offset): Offset {
    const remote = this.#remoteRows.reaching(offset);
    if (remote !== undefined && remote.baseOffset < offset) return remote.baseOffset;
    return this.#rows.rowStart(offset);
  }

  replace(range: ReplacedRange, batches: readonly HeldBatch[]): void {
    const { fromOffset, toOffset } = range;
    for (const base of this.#rows.replace(range, batches))
      this.#outdate(({ baseOffset, nextOffset }) => baseOffset <= base && base < nextOffset);
    for (const remote of this.#remoteRows.onlyRemote) {
      const { id, baseOffset, nextOffset, sizeBytes, digest } = remote;
      if (baseOffset < fromOffset || nextOffset > toOffset) continue;
      const kept = batches.filter((batch) => batch.baseOffset >= baseOffset && batch.lastOffset < nextOffset);
      const size = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (size === sizeBytes && batchesDigest(kept.map(({ bytes }) => bytes)) === digest) continue;
      this.#insert(kept);
      this.#outdate((each) => each.id === id);
    }
  }

  #outdate(isOutdated: (segment: RemoteSegment) => boolean): void {
    this.#remoteRows.outdate(isOutdated, this.#now());
  }

  #insert(batches: readonly HeldBatch[]): void {
    let row: HeldBatch[] = [];
    let rowBytes = 0;
    for (const batch of batches) {
      if (rowBytes + batch.bytes.length > ROW_BYTES) {
        this.#rows.insert(row);
        [row, rowBytes] = [[], 0];
      }
      row.push(batch);
      rowBytes += batch.bytes.length;
    }
    this.#rows.insert(row);
  }

  #storage(): Remote {
    if (this.#remote === undefined)
      throw new Error('a part of this log is in remote storage, and there is none here');
    return this.#remote;
  }
}
