import { ConsumerRecord, type FetchedBatch } from '../fetch/consumer-record.ts';
import type { Acks } from './acks.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Who handed a record out, and waits for what becomes of it. */
export interface AckListener {
  acked(record: object): void;
}

/** A record that a consumer has handed out. */
export class ConsumedRecord<K = Uint8Array | null, V = Uint8Array | null> extends ConsumerRecord<K, V> {
  readonly #owner: OwnedPartition;
  readonly #acks: Acks;
  readonly #listener: AckListener | undefined;

  /** @param index in the batch. */
  constructor(batch: FetchedBatch<K, V>, index: number, owner: OwnedPartition, listener?: AckListener) {
    super(batch, batch.rowOf(index));
    this.#owner = owner;
    this.#acks = owner.acks;
    this.#listener = listener;
  }

  /** Aborts when its partition is lost: others may work on this record from now on. */
  get signal(): AbortSignal {
    return this.#owner.signal;
  }

  /** It is done with: what is committed next may go over it. Idempotent; in vain once its signal is aborted. */
  ack(): void {
    if (!this.signal.aborted) this.#acks.ack(this.offset);
    this.#listener?.acked(this);
  }
}
