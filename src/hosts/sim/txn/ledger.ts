import type { Millis, Offset } from '../../../model/ids.ts';
import { holds } from '../broken.ts';

/** A partition that transactions write to. */
export class TxnLog {
  readonly topic: string;
  readonly partition: number;
  /** All below may be deleted by now. */
  deletedBelow: Offset = 0;
  /** What a group has committed, and was told so. */
  processedBelow: Offset = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get title(): string {
    return `${this.topic}-${this.partition}`;
  }
}

/** Who a producer is, for its coordinator and for logs. */
export interface Identity {
  producerId: number;
  producerEpoch: number;
}

interface Fence extends Identity {
  atMs: Millis;
}

function logsOf(topic: string, partitions: number): readonly TxnLog[] {
  return Array.from({ length: partitions }, (_, partition) => new TxnLog(topic, partition));
}

export const TXN_TOPICS: ReadonlyMap<string, number> = new Map([
  ['txn-in', 2],
  ['txn-out', 2],
]);

/** What is known of transactions from outside: what may not be read, and who may not write any more. */
export class TxnLedger {
  readonly inputs = logsOf('txn-in', 2);
  readonly outputs = logsOf('txn-out', 2);
  readonly logs = [...this.inputs, ...this.outputs];
  readonly #aborted = new Set<string>();
  /** By transactional id, in their order. */
  readonly #fences = new Map<string, Fence[]>();

  /** They are surely no part of the log that a reader of committed records sees. */
  aborted(values: Iterable<string>): void {
    for (const value of values) this.#aborted.add(value);
  }

  read({ title }: TxnLog, offset: Offset, value: string): void {
    holds(
      !this.#aborted.has(value),
      'I6',
      () => `${title}: ${value}, at ${offset}, is read, and was aborted`,
    );
  }

  /** From now on no older epoch may do anything. */
  fenced(transactionalId: string, by: Identity, atMs: Millis): void {
    const { producerId, producerEpoch } = by;
    const fences = this.#fences.get(transactionalId) ?? [];
    fences.push({ producerId, producerEpoch, atMs });
    this.#fences.set(transactionalId, fences);
  }

  /** A request that was sent at `sentAtMs` was done. */
  accepted(
    transactionalId: string,
    of: Identity,
    { sentAtMs, what }: { sentAtMs: Millis; what: string },
  ): void {
    for (const fence of this.#fences.get(transactionalId) ?? []) {
      const isOlder =
        of.producerId === fence.producerId
          ? of.producerEpoch < fence.producerEpoch
          : of.producerId < fence.producerId;
      holds(!isOlder || sentAtMs <= fence.atMs, 'I8', () => {
        const { producerId, producerEpoch } = of;
        const who = `${transactionalId}, ${producerId}/${producerEpoch},`;
        return `${what} of ${who} is done after ${fence.producerEpoch} began`;
      });
    }
  }
}
