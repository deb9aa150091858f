import type { AbortedTransaction as Aborted } from '../../model/aborted.ts';
import type { Offset } from '../../model/ids.ts';
import { ControlType } from '../../records/control.ts';

/** A transaction that was aborted and had written to the log. */
type AbortedTransaction = Pick<Aborted, 'producerId' | 'firstOffset' | 'lastOffset'>;

/** Of a batch what tells whose transaction it is of. */
export interface ObservedBatch {
  producerId: number;
  lastOffset: Offset;
  isTransactional: boolean;
}

/**
 * Which transactions the batches of a log are of, told by reading them in order: what of them may go. Kafka's
 * CleanedTransactionMetadata.
 */
export class CleanedTransactions {
  /** By first offset; those before `#next` have begun. */
  readonly #aborted: readonly AbortedTransaction[];
  #next = 0;
  /** Whether a batch of it was seen, by producer id. */
  readonly #ongoingAborted = new Map<number, { isSeen: boolean }>();
  readonly #ongoingCommitted = new Set<number>();
  /** Offsets of abort markers that came since {@link takeIdle}, of transactions of which no batch is left. */
  #idle: Offset[] = [];

  /** @param aborted all that have records or a marker in the range that will be read. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** A batch of records. @returns whether all of them were aborted. */
  observe({ producerId, lastOffset, isTransactional }: ObservedBatch): boolean {
    this.#beginUpTo(lastOffset);
    if (!isTransactional) return false;
    const aborted = this.#ongoingAborted.get(producerId);
    if (aborted === undefined) {
      this.#ongoingCommitted.add(producerId);
      return false;
    }
    aborted.isSeen = true;
    return true;
  }

  /**
   * A control batch. @param type of its record; undefined when it is empty, which it was made before.
   * @returns whether no batch of what it ends was seen, so that it may go.
   */
  observeMarker({ producerId, lastOffset }: ObservedBatch, type: number | undefined): boolean {
    this.#beginUpTo(lastOffset);
    if (type === undefined) return true;
    if (type === ControlType.commit) return !this.#ongoingCommitted.delete(producerId);
    if (type !== ControlType.abort) return false;
    const aborted = this.#ongoingAborted.get(producerId);
    this.#ongoingAborted.delete(producerId);
    if (aborted?.isSeen) return false;
    this.#idle.push(lastOffset);
    return true;
  }

  /**
   * Abort markers that end nothing any more: nobody is to be told of their transactions, or a reader that is, and does
   * not find the marker once that is gone, would take what its producer wrote later for aborted.
   */
  takeIdle(): ReadonlySet<Offset> {
    const idle = new Set(this.#idle);
    this.#idle = [];
    return idle;
  }

  #beginUpTo(offset: Offset): void {
    for (let next = this.#aborted[this.#next]; next && next.firstOffset <= offset;) {
      this.#ongoingAborted.set(next.producerId, { isSeen: false });
      next = this.#aborted[++this.#next];
    }
  }
}
