import { ConsumerRecord, type FetchedBatch } from '../fetch/consumer-record.ts';
import { type Delivery, Said } from './delivery.ts';

/** A record that was given to this member of a share group alone, until it says what became of it or its time is up. */
export class ShareRecord<K = Uint8Array | null, V = Uint8Array | null> extends ConsumerRecord<K, V> {
  readonly #delivery: Delivery;
  /** @internal */
  readonly batch: FetchedBatch<K, V>;

  /** @internal @param index in the batch. */
  constructor(batch: FetchedBatch<K, V>, index: number, delivery: Delivery) {
    super(batch, batch.rowOf(index));
    this.#delivery = delivery;
    this.batch = batch;
  }

  /** How often it was given to a member, this time included. */
  get deliveryCount(): number {
    return this.#delivery.deliveryCount;
  }

  /** Nothing was said of it yet. */
  get isOpen(): boolean {
    return this.#delivery.isOpen(this.offset);
  }

  /** It is done, and will not be delivered again. What is said first of a record counts. */
  accept(): void {
    this.#delivery.say(this.offset, Said.ACCEPT);
  }

  /** Another member may have it, or this one again, unless it was delivered too often. */
  release(): void {
    this.#delivery.say(this.offset, Said.RELEASE);
  }

  /** Nobody can do anything with it: it will not be delivered again. */
  reject(): void {
    this.#delivery.say(this.offset, Said.REJECT);
  }
}
