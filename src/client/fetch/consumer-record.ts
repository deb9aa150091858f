import { ROW } from '../../kernels/kernels.ts';
import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { type Place, RecordView } from '../../records/batch.ts';
import type { Deserializers } from '../topics/topic.ts';

/** What all records of a batch have in common. */
export interface RecordsPlace<K, V> extends Place {
  readonly topic: string;
  readonly partition: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly deserializers: Deserializers<K, V>;
}

/** Not made yet: no deserializer can give it. */
const UNREAD = Symbol('unread');

/**
 * A record as it is read. Nothing is made of it before it is asked for; key and value are made once. Bytes are views of
 * its batch: who keeps one of them for long copies it, else the whole batch is kept too.
 */
export class ConsumerRecord<K = Uint8Array | null, V = Uint8Array | null> extends RecordView<
  RecordsPlace<K, V>
> {
  #key: K | typeof UNREAD = UNREAD;
  #value: V | typeof UNREAD = UNREAD;

  get topic(): string {
    return this.place.topic;
  }
  get partition(): number {
    return this.place.partition;
  }
  /** Of the leader that took it; -1 where that is not known. */
  get leaderEpoch(): LeaderEpoch {
    return this.place.leaderEpoch;
  }
  /** @throws InvalidRecord when it is not what its topic says. */
  get key(): K {
    if (this.#key === UNREAD) this.#key = this.place.deserializers.key(this);
    return this.#key;
  }
  /** @throws InvalidRecord when it is not what its topic says. */
  get value(): V {
    if (this.#value === UNREAD) this.#value = this.place.deserializers.value(this);
    return this.#value;
  }

  /** The same record in memory of its own: its batch may go. */
  kept(): ConsumerRecord<K, V> {
    const { place, row } = this;
    const { topic, partition, leaderEpoch, deserializers, baseOffset, baseTimestamp } = place;
    const rows = place.rows.slice(row, row + ROW.size);
    const start = rows[ROW.keyPosition] ?? 0;
    // It ends before the key of the next one.
    const end = place.rows[row + ROW.size + ROW.keyPosition];
    // Not `slice`: what Node has unpacked is a Buffer, whose slice is a view.
    const block = new Uint8Array(place.block.subarray(start, end));
    for (const field of [ROW.keyPosition, ROW.valuePosition, ROW.headersPosition])
      rows[field] = (rows[field] ?? 0) - start;
    const times = new Float64Array(rows.buffer);
    return new ConsumerRecord<K, V>(
      { topic, partition, leaderEpoch, deserializers, baseOffset, baseTimestamp, block, rows, times },
      0,
    );
  }
}

interface BatchFacts<K, V> extends Omit<RecordsPlace<K, V>, keyof Place> {
  /** Records before it are not given, nor those from `nextOffset` on. */
  fromOffset: Offset;
  nextOffset: Offset;
  released: () => void;
}

/** Records of one partition that came together, in order, ready to be read. */
export class FetchedBatch<K = Uint8Array | null, V = Uint8Array | null>
  implements RecordsPlace<K, V>, Iterable<ConsumerRecord<K, V>>
{
  readonly topic: string;
  readonly partition: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly deserializers: Deserializers<K, V>;
  readonly block: Uint8Array;
  readonly rows: Int32Array;
  readonly baseOffset: Offset;
  readonly baseTimestamp: Millis;
  readonly times: Float64Array;
  /** Where reading goes on after it, which can be more than one behind its last record. */
  readonly nextOffset: Offset;
  /** Rows of what is wanted: a batch can begin before it, and end behind it. */
  readonly #first: number;
  readonly #end: number;
  #released: (() => void) | undefined;

  constructor(place: Place, about: BatchFacts<K, V>) {
    this.topic = about.topic;
    this.partition = about.partition;
    this.leaderEpoch = about.leaderEpoch;
    this.deserializers = about.deserializers;
    this.block = place.block;
    this.rows = place.rows;
    this.baseOffset = place.baseOffset;
    this.baseTimestamp = place.baseTimestamp;
    this.times = place.times;
    this.nextOffset = about.nextOffset;
    this.#first = about.fromOffset <= place.baseOffset ? 0 : this.#rowAt(about.fromOffset);
    this.#end = this.#rowAt(about.nextOffset);
    this.#released = about.released;
  }

  /** How many records. */
  get length(): number {
    return Math.max(this.#end - this.#first, 0) / ROW.size;
  }

  /** @param index from 0 to `length - 1`. */
  at(index: number): ConsumerRecord<K, V> {
    return new ConsumerRecord(this, this.rowOf(index));
  }

  /** Where the row of a record starts. */
  rowOf(index: number): number {
    return this.#first + index * ROW.size;
  }

  *[Symbol.iterator](): Iterator<ConsumerRecord<K, V>> {
    for (let row = this.#first; row < this.#end; row += ROW.size) yield new ConsumerRecord(this, row);
  }

  /** Its bytes are not needed any more, and others may come for them. Idempotent. */
  release(): void {
    this.#released?.();
    this.#released = undefined;
  }

  /** The row of the first record at or after an offset; offsets grow. */
  #rowAt(offset: Offset): number {
    let low = 0;
    let high = this.rows.length / ROW.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const delta = this.rows[middle * ROW.size + ROW.offsetDelta] ?? 0;
      if (this.baseOffset + delta < offset) low = middle + 1;
      else high = middle;
    }
    return low * ROW.size;
  }
}
