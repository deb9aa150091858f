import { ErrorCode, errorInfo, KafkaError } from '../../model/errors.ts';
import type { LeaderEpoch, Offset } from '../../model/ids.ts';
import { type BatchRecords, checkedRecords, type Place } from '../../records/batch.ts';
import type { MaybePromise } from '../../records/codecs.ts';
import type { BatchHeader } from '../../records/header.ts';
import { MilenaError } from '../errors.ts';
import type { Deserializers } from '../topics/topic.ts';
import { type Aborted, Chunk, Holding, scan } from './chunk.ts';
import { FetchedBatch } from './consumer-record.ts';
import type { EngineParts } from '../client-parts.ts';
import { titleOf } from '../topic-partition.ts';
import type { FetchPartition } from './partition.ts';

/** Nobody has batches that are larger. */
const BATCH_MAX_BYTES = 256 * 1024 * 1024;

/** A batch that cannot be read, and whose. */
export class BadBatch extends Error {
  readonly at: FetchPartition;

  constructor(at: FetchPartition, cause: MilenaError) {
    super(cause.message, { cause });
    this.at = at;
  }

  get why(): MilenaError {
    return this.cause as MilenaError;
  }
}

export interface BufferOptions<K, V> extends Pick<EngineParts, 'kernels' | 'codecs'> {
  deserializersOf: (topic: string) => Deserializers<K, V>;
  /** There is room again. */
  released: () => void;
}

/** What came and is not read yet, in the order in which it came. Nothing is unpacked before it is taken. */
export class FetchBuffer<K, V> {
  /** Records are looked at until their batch is released, and no longer: else each batch is in memory of its own. */
  isLent = false;
  readonly #options: BufferOptions<K, V>;
  #chunks: Chunk[] = [];
  #heldBytes = 0;

  constructor(options: BufferOptions<K, V>) {
    this.#options = options;
  }

  /** Of all that came and is not released. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether there is something to take. */
  get hasSome(): boolean {
    return this.#chunks.some((chunk) => !chunk.isStale && !chunk.partition.isPaused);
  }

  /** Bytes of one answer: its chunks hold them, and the caller until `release`. @param over nobody does any more. */
  hold(sizeBytes: number, over: () => void): Holding {
    this.#heldBytes += sizeBytes;
    return new Holding(() => {
      over();
      this.#free(sizeBytes);
    });
  }

  /** @throws BadBatch when it holds what cannot be read. */
  add(
    at: FetchPartition,
    bytes: Uint8Array,
    { aborted, holding }: { aborted: Aborted; holding: Holding },
  ): void {
    let scanned;
    try {
      scanned = scan(bytes, at.fetchOffset);
    } catch (error) {
      throw badBatch(at, error);
    }
    const { endsAt, nextOffset, lastEpoch, neededBytes } = scanned;
    if (neededBytes > at.neededBytes && neededBytes <= BATCH_MAX_BYTES) {
      at.neededBytes = neededBytes;
      return;
    }
    if (neededBytes > 0) throw badBatch(at, new KafkaError(ErrorCode.CORRUPT_MESSAGE, 'it is cut off'));
    at.neededBytes = 0;
    // Either more was committed while it was read, or an offset is wrong, which has no checksum: the next answer tells.
    const isBeyond = at.highWatermark >= 0 && nextOffset > at.highWatermark;
    if (isBeyond && !at.isDoubted) {
      at.isDoubted = true;
      return;
    }
    at.isDoubted = false;
    if (isBeyond)
      throw badBatch(
        at,
        new KafkaError(ErrorCode.CORRUPT_MESSAGE, `records beyond the end at ${at.highWatermark}`),
      );
    if (nextOffset <= at.fetchOffset)
      throw badBatch(at, new KafkaError(ErrorCode.CORRUPT_MESSAGE, `records before ${at.fetchOffset} only`));
    this.#chunks.push(new Chunk(at, bytes, { endsAt, aborted, holding: holding.use() }));
    at.fetchOffset = nextOffset;
    at.lastEpoch = lastEpoch;
  }

  /**
   * The next batch of a partition that is not paused; undefined when there is none. Asked for again only when it is
   * there. @throws BadBatch; the partition is not moved.
   */
  take(): MaybePromise<FetchedBatch<K, V> | undefined> {
    for (let at = 0; at < this.#chunks.length;) {
      const chunk = this.#chunks[at] as Chunk;
      if (!chunk.isStale && chunk.partition.isPaused) {
        at++;
        continue;
      }
      const header = chunk.isStale ? undefined : this.#next(chunk);
      if (header !== undefined) return this.#open(chunk, header);
      this.#chunks.splice(at, 1);
      chunk.holding.release();
    }
    return undefined;
  }

  /** What is buffered of paused partitions makes room for others; it is asked for again. */
  dropPaused(): void {
    for (const { partition, isStale } of this.#chunks) if (partition.isPaused && !isStale) partition.rewind();
    this.dropStale();
  }

  dropStale(): void {
    const stale = this.#chunks.filter((chunk) => chunk.isStale);
    this.#chunks = this.#chunks.filter((chunk) => !chunk.isStale);
    for (const { holding } of stale) holding.release();
  }

  clear(): void {
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const { holding } of chunks) holding.release();
  }

  #next(chunk: Chunk): BatchHeader | undefined {
    try {
      return chunk.next(this.#options.kernels);
    } catch (error) {
      throw badBatch(chunk.partition, error);
    }
  }

  #open(chunk: Chunk, header: BatchHeader): MaybePromise<FetchedBatch<K, V> | undefined> {
    const { kernels, codecs } = this.#options;
    const { bytes, partitionLeaderEpoch, lastOffset } = header;
    // Held until it is given or refused, whatever becomes of the chunk meanwhile.
    const holding = chunk.holding.use();
    const failed = (error: unknown) => {
      holding.release();
      if (chunk.isStale) return undefined;
      throw badBatch(chunk.partition, error);
    };
    const give = ({ place }: BatchRecords) => {
      if (!chunk.isStale)
        return this.#give(chunk, place, { holding, bytes, partitionLeaderEpoch, lastOffset });
      holding.release();
      return undefined;
    };
    try {
      const found = checkedRecords(bytes, kernels, codecs);
      return found instanceof Promise ? found.then(give, failed) : give(found);
    } catch (error) {
      return failed(error);
    }
  }

  #give(
    { partition: at }: Chunk,
    place: Place,
    about: { holding: Holding; bytes: Uint8Array; partitionLeaderEpoch: LeaderEpoch; lastOffset: Offset },
  ): FetchedBatch<K, V> {
    const { topic, partition, position, endOffset } = at;
    const { holding, bytes, partitionLeaderEpoch, lastOffset } = about;
    const block = this.#own(place.block, bytes);
    // So the memory of the answer is used again: V8 would collect it late, once it is twice the budget.
    if (block !== undefined) holding.release();
    // What it takes beside the bytes that came: its records, and where each of them is.
    const moreBytes = (block?.length ?? 0) + place.rows.byteLength;
    this.#heldBytes += moreBytes;
    const nextOffset = Math.min(lastOffset + 1, endOffset);
    at.position = nextOffset;
    at.positionEpoch = partitionLeaderEpoch;
    at.badSinceMs = undefined;
    return new FetchedBatch(block === undefined ? place : { ...place, block }, {
      topic,
      partition,
      leaderEpoch: partitionLeaderEpoch,
      deserializers: this.#options.deserializersOf(topic),
      fromOffset: position,
      nextOffset,
      released: () => {
        if (block === undefined) holding.release();
        this.#free(moreBytes);
      },
    });
  }

  /** Records in memory of their own, unpacked or copied; undefined where they are lent as they came. */
  #own(block: Uint8Array, batch: Uint8Array): Uint8Array | undefined {
    if (block.buffer !== batch.buffer) return block;
    return this.isLent ? undefined : new Uint8Array(block);
  }

  readonly #free = (sizeBytes: number) => {
    this.#heldBytes -= sizeBytes;
    this.#options.released();
  };
}

function badBatch(at: FetchPartition, error: unknown): BadBatch {
  if (error instanceof MilenaError) return new BadBatch(at, error);
  if (!(error instanceof KafkaError)) throw error;
  const { name } = errorInfo(error.code);
  return new BadBatch(
    at,
    new MilenaError(`${titleOf(at)} at offset ${at.position}: ${error.message}`, {
      code: name,
      // What a network changed on its way is right the next time.
      retriable: error.code !== ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    }),
  );
}
