import type { Kernels } from '../../kernels/kernels.ts';
import { at } from '../../model/assert.ts';
import { buildBatch, type NewRecord, recompress } from '../../records/builder.ts';
import { type Codecs, type MaybePromise } from '../../records/codecs.ts';
import { BatchHeader, HEADER_SIZE, type ProducerStamp } from '../../records/header.ts';
import type { BatchContent, Stored } from './batch.ts';
import type { RecordMetadata } from './record.ts';

/** How batches are made of records. */
export interface Packing {
  kernels: Kernels;
  codecs: Codecs;
  /** The number of a codec, 0 for none. */
  codec: number;
}

/** Who wants to know what became of a record. */
export interface RecordWaiter {
  stored(metadata: RecordMetadata): void;
  failed(error: Error): void;
}

export interface RecordsOptions {
  partition: number;
  packing: Packing;
  /** Its bytes are needed no more. */
  released: (sizeBytes: number) => void;
}

/** Records, as users give them: encoded when they are sent, one kernel call a batch. */
export class RecordsContent implements BatchContent {
  readonly #options: RecordsOptions;
  #records: NewRecord[] = [];
  #waiters: RecordWaiter[] = [];
  #sizes: number[] = [];
  sizeBytes = HEADER_SIZE;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  get recordsCount(): number {
    return this.#records.length;
  }

  add(record: NewRecord, sizeBytes: number, waiter: RecordWaiter): void {
    this.#records.push(record);
    this.#waiters.push(waiter);
    this.#sizes.push(sizeBytes);
    this.sizeBytes += sizeBytes;
  }

  seal(stamp: ProducerStamp | undefined): MaybePromise<Uint8Array> {
    const { packing } = this.#options;
    const plain = buildBatch(packing.kernels, { records: this.#records, ...stamp });
    return recompress(packing, plain, packing.codec);
  }

  stored({ baseOffset, logAppendTimeMs }: Stored): void {
    const { partition } = this.#options;
    for (const [index, waiter] of this.#waiters.entries()) {
      const offset = baseOffset < 0 ? -1 : baseOffset + index;
      const timestamp = logAppendTimeMs < 0 ? at(this.#records, index).timestamp : logAppendTimeMs;
      waiter.stored({ partition, offset, timestamp });
    }
    this.#release();
  }

  failed(error: Error): void {
    for (const waiter of this.#waiters) waiter.failed(error);
    this.#release();
  }

  split(): [RecordsContent, RecordsContent] | undefined {
    const count = this.recordsCount;
    if (count < 2) return undefined;
    const half = count >> 1;
    return [this.#part(0, half), this.#part(half, count)];
  }

  #part(from: number, to: number): RecordsContent {
    const part = new RecordsContent(this.#options);
    for (let index = from; index < to; index++)
      part.add(at(this.#records, index), at(this.#sizes, index), at(this.#waiters, index));
    return part;
  }

  #release(): void {
    this.#options.released(this.sizeBytes - HEADER_SIZE);
    this.#records = [];
    this.#waiters = [];
  }
}

/** A batch that is whole already, such as another log's: its record block stays byte for byte. */
export class SealedContent implements BatchContent {
  readonly recordsCount: number;
  readonly #bytes: Uint8Array;
  readonly #kernels: Kernels;
  readonly #told: { stored: () => void; failed: (error: Error) => void };

  constructor(
    bytes: Uint8Array,
    kernels: Kernels,
    told: { stored: () => void; failed: (error: Error) => void },
  ) {
    this.recordsCount = new BatchHeader(bytes).lastOffsetDelta + 1;
    this.#bytes = bytes;
    this.#kernels = kernels;
    this.#told = told;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  seal(stamp: ProducerStamp | undefined): Uint8Array {
    const header = new BatchHeader(this.#bytes);
    header.setProducer(stamp ?? { producerId: -1, producerEpoch: -1, baseSequence: -1 });
    header.stamp(0, -1);
    header.seal(this.#kernels);
    return this.#bytes;
  }

  stored(): void {
    this.#told.stored();
  }

  failed(error: Error): void {
    this.#told.failed(error);
  }

  split(): undefined {
    return undefined;
  }
}
