import { ControlType, controlKey } from '../../src/records/control.ts';
import { type BatchSpec, buildBatch, type NewRecord } from '../../src/records/builder.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { kernels } from './fake-client.ts';

interface Stored {
  baseOffset: number;
  nextOffset: number;
  epoch: number;
  maxTimestamp: number;
  bytes: Uint8Array;
}

interface Transaction {
  producerId: number;
  firstOffset: number;
  /** After its marker; undefined while it is open. */
  endOffset: number | undefined;
  isAborted: boolean;
}

/** One partition's log as its leader holds it. */
export class FakeLog {
  startOffset = 0;
  endOffset = 0;
  epoch = 0;
  batches: Stored[] = [];
  readonly transactions: Transaction[] = [];

  /** All below it is decided. */
  get lastStableOffset(): number {
    const open = this.transactions.filter(({ endOffset }) => endOffset === undefined);
    return Math.min(this.endOffset, ...open.map(({ firstOffset }) => firstOffset));
  }

  append(values: readonly (string | NewRecord)[], spec: Partial<BatchSpec> = {}): number {
    const records = values.map((value) =>
      typeof value === 'string' ? { value, timestamp: this.endOffset } : value,
    );
    const bytes = buildBatch(kernels, { records, ...spec });
    return this.put(bytes, records.length);
  }

  /** A batch as it is, over so many offsets. */
  put(bytes: Uint8Array, offsets: number): number {
    const baseOffset = this.endOffset;
    const header = new BatchHeader(bytes);
    header.stamp(baseOffset, this.epoch);
    const { maxTimestamp } = header;
    this.endOffset += offsets;
    this.batches.push({ baseOffset, nextOffset: this.endOffset, epoch: this.epoch, maxTimestamp, bytes });
    return baseOffset;
  }

  /** Part of a transaction, which begins with it if need be. */
  appendIn(producerId: number, values: readonly string[]): void {
    const firstOffset = this.append(values, {
      producerId,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    });
    const isOpen = this.transactions.some(
      (one) => one.producerId === producerId && one.endOffset === undefined,
    );
    if (!isOpen) this.transactions.push({ producerId, firstOffset, endOffset: undefined, isAborted: false });
  }

  end(producerId: number, how: 'commit' | 'abort'): void {
    const open = this.transactions.find(
      (one) => one.producerId === producerId && one.endOffset === undefined,
    );
    if (open === undefined) return;
    const marker = { key: controlKey(ControlType[how]), value: new Uint8Array(6), timestamp: this.endOffset };
    this.append([marker], { producerId, producerEpoch: 0, isTransactional: true, isControl: true });
    open.endOffset = this.endOffset;
    open.isAborted = how === 'abort';
  }

  /** The log of another leader, who has less. */
  truncate(endOffset: number): void {
    this.batches = this.batches.filter((batch) => batch.nextOffset <= endOffset);
    this.endOffset = this.batches.at(-1)?.nextOffset ?? this.startOffset;
  }

  /** What compaction leaves: these batches are gone. */
  drop(baseOffset: number): void {
    this.batches = this.batches.filter((batch) => batch.baseOffset !== baseOffset);
  }

  trim(startOffset: number): void {
    this.startOffset = startOffset;
    this.batches = this.batches.filter((batch) => batch.nextOffset > startOffset);
  }

  /** Whole batches that reach beyond an offset. @param isFirst one comes however large it is. */
  read(
    fetchOffset: number,
    endOffset: number,
    { maxBytes, isFirst }: { maxBytes: number; isFirst: boolean },
  ): Uint8Array {
    const found: Uint8Array[] = [];
    let sizeBytes = 0;
    for (const { nextOffset, bytes } of this.batches) {
      if (nextOffset <= fetchOffset) continue;
      if (nextOffset > endOffset || ((found.length > 0 || !isFirst) && sizeBytes + bytes.length > maxBytes))
        break;
      found.push(bytes);
      sizeBytes += bytes.length;
    }
    return Buffer.concat(found);
  }

  /** -2 the start, -1 the end, else the first batch that is not older. */
  offsetAt(timestamp: number, endOffset: number): { offset: number; epoch: number } {
    if (timestamp === -1) return { offset: endOffset, epoch: this.epoch };
    if (timestamp === -2) return { offset: this.startOffset, epoch: this.batches[0]?.epoch ?? this.epoch };
    const found = this.batches.find(
      (batch) => batch.maxTimestamp >= timestamp && batch.nextOffset <= endOffset,
    );
    return { offset: found?.baseOffset ?? -1, epoch: found?.epoch ?? -1 };
  }

  /** The last epoch up to that one, and where it ends. */
  endOfEpoch(epoch: number): { leaderEpoch: number; endOffset: number } {
    if (epoch >= this.epoch) return { leaderEpoch: this.epoch, endOffset: this.endOffset };
    const last = this.batches.findLast((batch) => batch.epoch <= epoch);
    return { leaderEpoch: last?.epoch ?? -1, endOffset: last?.nextOffset ?? -1 };
  }
}
