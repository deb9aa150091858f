import type { RecordSpan } from '../model/machine.ts';
import { type PackedPositions, unpacked } from './packed-positions.ts';
import { readOffsetKey, readOffsetValue } from './read-position.ts';
import type { OffsetAndMetadata } from './records.ts';

type ByTopic = Map<string, Map<number, OffsetAndMetadata>>;

/** Positions as they lie in one block of records: two numbers each, where key and value are. */
interface Unread {
  readonly bytes: Uint8Array;
  readonly places: number[];
}

/**
 * Positions of a group. A wake brings them by the hundred thousand, and the first answer is of one group: so what comes
 * from a log stays in its bytes until somebody asks for positions of its group.
 */
export class Positions {
  readonly #byTopic: ByTopic = new Map();
  /** In the order of the log. */
  #unread: (Unread | PackedPositions)[] = [];

  /** topic -> partition -> position. */
  get byTopic(): ReadonlyMap<string, ReadonlyMap<number, OffsetAndMetadata>> {
    if (this.#unread.length > 0) this.#read();
    return this.#byTopic;
  }

  get isEmpty(): boolean {
    return this.#unread.length === 0 && this.#byTopic.size === 0;
  }

  set(topic: string, partition: number, value: OffsetAndMetadata | null): void {
    if (this.#unread.length > 0) this.#read();
    this.#set(topic, partition, value);
  }

  /** @param at one that `isPosition`; its bytes are kept. */
  keep({ bytes, keyAt, valueAt }: RecordSpan): void {
    const last = this.#unread.at(-1);
    if (last !== undefined && 'places' in last && last.bytes === bytes) last.places.push(keyAt, valueAt);
    else this.#unread.push({ bytes, places: [keyAt, valueAt] });
  }

  keepPacked(positions: PackedPositions): void {
    this.#unread.push(positions);
  }

  #read(): void {
    const unread = this.#unread;
    this.#unread = [];
    for (const each of unread) {
      if ('places' in each) this.#readPlaces(each);
      else for (const [partition, value] of unpacked(each)) this.#set(each.topic, partition, value);
    }
  }

  #readPlaces({ bytes, places }: Unread): void {
    for (let at = 0; at < places.length; at += 2) {
      const { topic, partition } = readOffsetKey(bytes, places[at] as number);
      this.#set(topic, partition, readOffsetValue(bytes, places[at + 1] as number));
    }
  }

  #set(topic: string, partition: number, value: OffsetAndMetadata | null): void {
    const partitions = this.#byTopic.get(topic);
    if (value === null) {
      partitions?.delete(partition);
      if (partitions?.size === 0) this.#byTopic.delete(topic);
    } else if (partitions) {
      partitions.set(partition, value);
    } else {
      this.#byTopic.set(topic, new Map([[partition, value]]));
    }
  }
}
