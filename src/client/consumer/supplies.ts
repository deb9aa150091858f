import { ConsumedRecord } from './consumed-record.ts';
import type { Task } from './lanes.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { TakenBatch } from './share.ts';

interface Supply<K, V> extends TakenBatch<K, V> {
  /** The next record of the batch. */
  at: number;
  /** A record of it is over, or will never be. */
  readonly settled: () => void;
}

/**
 * Batches that were taken and are not handed out to their ends. A record is made when there is somebody to work on it:
 * until then it is but its bytes.
 */
export class Supplies<K, V> {
  #all: Supply<K, V>[] = [];
  readonly #isOpen: (owner: OwnedPartition) => boolean;

  /** @param isOpen whether more of a partition may be handed out now. */
  constructor(isOpen: (owner: OwnedPartition) => boolean) {
    this.#isOpen = isOpen;
  }

  /** Nothing is left that may be handed out now. */
  get isEmpty(): boolean {
    return !this.#all.some(({ owner }) => this.#isOpen(owner));
  }

  add({ batch, owner }: TakenBatch<K, V>): void {
    let left = batch.length;
    const settled = () => {
      if (--left === 0) batch.release();
    };
    this.#all.push({ batch, owner, at: 0, settled });
  }

  /** The next record that may be; those of each partition in order. */
  next(): Task<K, V> | undefined {
    for (;;) {
      const supply = this.#all.find(({ owner }) => this.#isOpen(owner));
      if (supply === undefined) return undefined;
      const task = supply.at < supply.batch.length ? handOut(supply) : undefined;
      if (supply.at === supply.batch.length) this.#end(supply);
      if (task !== undefined) return task;
    }
  }

  /** What is not handed out is let go, but of those partitions. */
  drop(isKept: (owner: OwnedPartition) => boolean): void {
    const gone = this.#all.filter(({ owner }) => !isKept(owner));
    this.#all = this.#all.filter(({ owner }) => isKept(owner));
    for (const { batch, at, settled } of gone) for (let rest = at; rest < batch.length; rest++) settled();
  }

  /** Behind its last record a batch can have more, that is none. */
  #end(supply: Supply<K, V>): void {
    const { batch, owner } = supply;
    this.#all.splice(this.#all.indexOf(supply), 1);
    owner.acks.skipTo(batch.nextOffset);
    if (batch.length === 0) batch.release();
  }
}

function handOut<K, V>(supply: Supply<K, V>): Task<K, V> {
  const { batch, owner, settled } = supply;
  const record = new ConsumedRecord(batch, supply.at++, owner);
  owner.acks.handOut(record.offset);
  return { record, owner, deserializers: batch.deserializers, settled, isBegun: false };
}
