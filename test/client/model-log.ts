import { ErrorCode } from '../../src/model/errors.ts';
import { BatchHeader } from '../../src/records/header.ts';

interface Remembered {
  epoch: number;
  /** First and last number of the last five batches, and where they are. */
  batches: { first: number; last: number; baseOffset: number }[];
}

/** What Kafka does with the numbers of idempotent producers, in thirty lines: the oracle of the producer's tests. */
export class ModelLog {
  readonly batches: Uint8Array[] = [];
  endOffset = 0;
  readonly #producers = new Map<number, Remembered>();
  readonly #isForgetful: boolean;

  /** @param isForgetful takes whatever comes: a broker as it must not be. */
  constructor(isForgetful = false) {
    this.#isForgetful = isForgetful;
  }

  append(bytes: Uint8Array): { errorCode: number; baseOffset: number } {
    const { producerId, producerEpoch, baseSequence, recordsCount } = new BatchHeader(bytes);
    if (producerId < 0 || this.#isForgetful) return this.#store(bytes, recordsCount);
    const known = this.#producers.get(producerId);
    const last = (baseSequence + recordsCount - 1) % 2 ** 31;
    if (known !== undefined && producerEpoch < known.epoch)
      return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 };
    if (known !== undefined && producerEpoch === known.epoch) {
      const same = known.batches.find((batch) => batch.first === baseSequence && batch.last === last);
      if (same !== undefined) return { errorCode: ErrorCode.NONE, baseOffset: same.baseOffset };
      if (baseSequence !== ((known.batches.at(-1)?.last ?? -1) + 1) % 2 ** 31) return outOfOrder();
    }
    if (known !== undefined && producerEpoch > known.epoch && baseSequence !== 0) return outOfOrder();
    const state =
      known === undefined || producerEpoch > known.epoch ? { epoch: producerEpoch, batches: [] } : known;
    this.#producers.set(producerId, state);
    const stored = this.#store(bytes, recordsCount);
    state.batches.push({ first: baseSequence, last, baseOffset: stored.baseOffset });
    if (state.batches.length > 5) state.batches.shift();
    return stored;
  }

  #store(bytes: Uint8Array, recordsCount: number): { errorCode: number; baseOffset: number } {
    const baseOffset = this.endOffset;
    this.batches.push(bytes.slice());
    this.endOffset += recordsCount;
    return { errorCode: ErrorCode.NONE, baseOffset };
  }
}

function outOfOrder(): { errorCode: number; baseOffset: number } {
  return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 };
}
