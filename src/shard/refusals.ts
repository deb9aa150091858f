import type { PartitionLog } from '../log/partition-log.ts';
import type { ProducerStates } from '../log/producers.ts';
import type { Millis } from '../model/ids.ts';
import { BatchHeader, HEADER_SIZE } from '../records/header.ts';

/** Longer than clients go on sending a batch (delivery.timeout.ms, 2 minutes by default). */
const REMEMBERED_MS = 15 * 60 * 1000;
/** Of more at once the oldest are forgotten. */
const PRODUCERS_MAX = 1_000;

interface Refusal {
  epoch: number;
  sequence: number;
  atMs: Millis;
}

/**
 * The lowest sequence of each idempotent producer that a failed shard has refused. Of several batches in flight the
 * first may come before the log is loaded again, and the second after it. A log takes any sequence from a producer it
 * knows nothing of, as Kafka's does; with the second in it the first could never be written. Kafka keeps a lowest
 * sequence for transactions alone (`VerificationStateEntry`): its directories do not come back by themselves.
 */
export class Refusals {
  readonly #lowest = new Map<number, Refusal>();

  get isEmpty(): boolean {
    return this.#lowest.size === 0;
  }

  /** A client's batch. Whole or not: if it is not, nothing is lost but some memory. */
  add(records: Uint8Array, nowMs: Millis): void {
    if (records.length < HEADER_SIZE) return;
    const { producerId, producerEpoch: epoch, baseSequence: sequence } = new BatchHeader(records);
    if (producerId >= 0) this.#add(producerId, { epoch, sequence, atMs: nowMs });
  }

  /** What `log` has taken and will be refused, since it was not committed. */
  addUncommitted({ producers, highWatermark }: PartitionLog, nowMs: Millis): void {
    for (const { producerId, epoch, batches } of producers.all()) {
      const first = batches.find(({ firstOffset }) => firstOffset >= highWatermark);
      if (first) this.#add(producerId, { epoch, sequence: first.firstSequence, atMs: nowMs });
    }
  }

  /** Whether a batch that was refused must come before this one: only this object knows, the log does not. */
  precede(
    { producerId, producerEpoch, baseSequence }: BatchHeader,
    producers: ProducerStates,
    nowMs: Millis,
  ): boolean {
    const refused = this.#lowest.get(producerId);
    if (refused === undefined) return false;
    if (producers.get(producerId) || nowMs - refused.atMs > REMEMBERED_MS) {
      this.#lowest.delete(producerId);
      return false;
    }
    return refused.epoch === producerEpoch && refused.sequence < baseSequence;
  }

  #add(producerId: number, refusal: Refusal): void {
    const known = this.#lowest.get(producerId) ?? refusal;
    const { epoch, sequence, atMs } = refusal;
    const isLower = epoch > known.epoch || (epoch === known.epoch && sequence < known.sequence);
    this.#lowest.delete(producerId);
    this.#lowest.set(producerId, isLower ? refusal : { ...known, atMs });
    const [oldest] = this.#lowest.keys();
    if (this.#lowest.size > PRODUCERS_MAX && oldest !== undefined) this.#lowest.delete(oldest);
  }
}
