import type { Kernels } from '../../kernels/kernels.ts';
import { ErrorCode, KafkaError } from '../../model/errors.ts';
import type { LeaderEpoch, Offset } from '../../model/ids.ts';
import { type BatchRecords, checkedRecords } from '../../records/batch.ts';
import type { Codecs, MaybePromise } from '../../records/codecs.ts';
import { ControlType, controlType } from '../../records/control.ts';
import { BatchHeader, HEADER_SIZE } from '../../records/header.ts';
import type { FetchPartition } from './partition.ts';

/** Bytes that came together, and go when nobody needs any of them. */
export class Holding {
  #users = 1;
  readonly #over: () => void;

  constructor(over: () => void) {
    this.#over = over;
  }

  use(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) this.#over();
  }
}

/** What the bytes of an answer hold. */
export interface Scanned {
  /** After the last whole batch. */
  endsAt: number;
  nextOffset: Offset;
  lastEpoch: LeaderEpoch;
  /** What the first batch takes, where it was cut off and none is whole; else 0. */
  neededBytes: number;
}

/** Bytes before a header's magic, which is there in all formats. */
const MAGIC_END = 17;

/** @throws KafkaError for batches of the formats before Kafka 0.11, and for what is no batch. */
export function scan(bytes: Uint8Array, fetchOffset: Offset): Scanned {
  const header = new BatchHeader(bytes);
  let at = 0;
  let nextOffset = fetchOffset;
  let lastEpoch = -1;
  while (bytes.length - at >= MAGIC_END) {
    const { magic, sizeBytes } = header.seek(at);
    if (magic !== 2)
      throw new KafkaError(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, `magic ${magic} is not 2`);
    if (sizeBytes < HEADER_SIZE)
      throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `a batch of ${sizeBytes} bytes`);
    if (bytes.length - at < sizeBytes)
      return { endsAt: at, nextOffset, lastEpoch, neededBytes: at === 0 ? sizeBytes : 0 };
    const { baseOffset, lastOffset } = header;
    // Offsets have no checksum: what follows another batch vouches for it.
    const isInOrder = baseOffset <= lastOffset && (at === 0 || baseOffset >= nextOffset);
    if (!isInOrder || !Number.isSafeInteger(lastOffset))
      throw new KafkaError(
        ErrorCode.CORRUPT_MESSAGE,
        `a batch says its offsets are ${baseOffset} to ${lastOffset}`,
      );
    nextOffset = lastOffset + 1;
    lastEpoch = header.partitionLeaderEpoch;
    at += sizeBytes;
  }
  return { endsAt: at, nextOffset, lastEpoch, neededBytes: at === 0 ? 2 * bytes.length : 0 };
}

/** Producers whose transactions were aborted, and from where on. */
export type Aborted = readonly { readonly producerId: number; readonly firstOffset: Offset }[];

/** Whole batches of one partition, taken one after the other. */
export class Chunk {
  readonly partition: FetchPartition;
  readonly holding: Holding;
  readonly #life: number;
  readonly #header: BatchHeader;
  readonly #endsAt: number;
  #at = 0;
  readonly #aborted: { producerId: number; firstOffset: Offset }[];
  readonly #aborting = new Set<number>();

  /** @param aborted empty where all records are wanted. */
  constructor(
    partition: FetchPartition,
    bytes: Uint8Array,
    { endsAt, aborted, holding }: { endsAt: number; aborted: Aborted; holding: Holding },
  ) {
    this.partition = partition;
    this.holding = holding;
    this.#life = partition.life;
    this.#header = new BatchHeader(bytes);
    this.#endsAt = endsAt;
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** The partition was moved meanwhile: nobody wants it. */
  get isStale(): boolean {
    return this.#life !== this.partition.life;
  }

  /** The header of the next batch that has something for the reader, moved past; undefined at the end. */
  next(kernels: Kernels): BatchHeader | undefined {
    const header = this.#header;
    while (this.#at < this.#endsAt && this.partition.position < this.partition.endOffset) {
      header.seek(this.#at);
      this.#at += header.sizeBytes;
      const isSkipped = this.#isSkipped(header, kernels) || header.recordsCount === 0;
      if (!isSkipped && header.lastOffset >= this.partition.position) return header;
      this.partition.position = Math.max(this.partition.position, header.lastOffset + 1);
    }
    return undefined;
  }

  /** Markers are never read, nor what an aborted transaction wrote: from its first record to its marker. */
  #isSkipped(header: BatchHeader, kernels: Kernels): boolean {
    const { lastOffset, producerId } = header;
    for (
      let [next] = this.#aborted;
      next !== undefined && next.firstOffset <= lastOffset;
      [next] = this.#aborted
    ) {
      this.#aborting.add(next.producerId);
      this.#aborted.shift();
    }
    if (header.isControl) {
      if (this.#aborting.has(producerId) && isAbort(header, kernels)) this.#aborting.delete(producerId);
      return true;
    }
    return header.isTransactional && this.#aborting.has(producerId);
  }
}

const NO_CODECS: Codecs = new Map();

function isAbort(header: BatchHeader, kernels: Kernels): boolean {
  const marker: MaybePromise<BatchRecords> = checkedRecords(header.bytes, kernels, NO_CODECS);
  return !(marker instanceof Promise) && controlType(marker.at(0).key) === ControlType.abort;
}
