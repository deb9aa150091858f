import type { ClientTracing } from '../tracing/client-tracing.ts';
import { type OnInvalid, type SendRaw, settleInvalid } from '../topics/on-invalid.ts';
import { invalidIn } from '../topics/topic.ts';
import { type AckListener, ConsumedRecord } from './consumed-record.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { Share, TakenBatch, Taker } from './share.ts';

export interface IterationOptions<K, V> {
  share: Share<K, V>;
  /** Instead of what a topic says. */
  onInvalid: OnInvalid | undefined;
  send: SendRaw;
  tracing?: ClientTracing | undefined;
  groupId: string | undefined;
  /** Ends what waits. */
  signal: AbortSignal;
}

/** Hands records out one by one: whoever asks for the next one has done the last. */
export class Iteration<K, V> implements Taker, AckListener {
  readonly keepsPaused = false;
  readonly #options: IterationOptions<K, V>;
  #taken: TakenBatch<K, V> | undefined;
  /** The next record of the batch. */
  #at = 0;
  /** Whose record is being worked on. */
  #current: ConsumedRecord<K, V> | undefined;
  #owner: OwnedPartition | undefined;
  #endSpan: (() => void) | undefined;

  constructor(options: IterationOptions<K, V>) {
    this.#options = options;
  }

  /** The record that was handed out last is done with. */
  ackLast(): void {
    this.#current?.ack();
    this.endLast();
  }

  /** By hand: nobody need wait for the record any more. */
  acked(record: object): void {
    if (record === this.#current) this.endLast();
  }

  /** Nobody works on the record that was handed out last. */
  endLast(): void {
    this.#current = undefined;
    this.#owner?.end();
    this.#owner = undefined;
    this.#endSpan?.();
    this.#endSpan = undefined;
  }

  /** The next record, if it is here and nothing has to be waited for. */
  nextNow(): ConsumedRecord<K, V> | undefined {
    const taken = this.#taken;
    if (taken === undefined || !taken.batch.deserializers.isPlain || this.#at >= taken.batch.length)
      return undefined;
    return this.#traced(this.#handOut(taken));
  }

  /** @throws as `Share.take`; InvalidRecord. */
  async next(): Promise<ConsumedRecord<K, V>> {
    for (;;) {
      const taken = this.#taken;
      if (taken === undefined || this.#at >= taken.batch.length) {
        this.#letGo();
        this.#at = 0;
        this.#taken = await this.#options.share.take(this.#options.signal);
        if (this.#taken.batch.length === 0) this.#taken.owner.acks.skipTo(this.#taken.batch.nextOffset);
        continue;
      }
      const record = this.#handOut(taken);
      const found = taken.batch.deserializers.isPlain ? undefined : invalidIn(record);
      if (found === undefined) return this.#traced(record);
      const { onInvalid = taken.batch.deserializers.onInvalid, send } = this.#options;
      await settleInvalid(found, onInvalid, send);
      this.ackLast();
    }
  }

  drop(owner: OwnedPartition): void {
    if (this.#taken?.owner === owner) this.#letGo();
  }

  finish(owner: OwnedPartition): void {
    this.drop(owner);
  }

  lookAgain(): void {}

  /** Nothing more is handed out. */
  close(): void {
    this.endLast();
    this.#letGo();
  }

  #handOut({ batch, owner }: TakenBatch<K, V>): ConsumedRecord<K, V> {
    const record = new ConsumedRecord(batch, this.#at++, owner, this);
    owner.acks.handOut(record.offset);
    // Behind its last record a batch can have more, that is none.
    if (this.#at === batch.length) owner.acks.skipTo(batch.nextOffset);
    owner.begin(record.offset);
    this.#current = record;
    this.#owner = owner;
    return record;
  }

  #traced(record: ConsumedRecord<K, V>): ConsumedRecord<K, V> {
    const { tracing, groupId } = this.#options;
    this.#endSpan = tracing?.processing(record, groupId);
    return record;
  }

  #letGo(): void {
    this.#taken?.batch.release();
    this.#taken = undefined;
  }
}
