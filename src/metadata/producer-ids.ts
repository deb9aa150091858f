import { ErrorCode } from '../model/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponse } from '../wire/apis/22-init-producer-id.ts';
import type { AllocateProducerIdsResponse } from '../wire/apis/67-allocate-producer-ids.ts';
import type { MetadataImage } from './image.ts';
import type { Outcome } from './outcome.ts';
import { producerIdsRecord } from './snapshot.ts';

/** Ids reserved with one record (Kafka's ProducerIdsBlock). */
const BLOCK_SIZE = 1_000;
const NO_ID = { producerId: -1, producerEpoch: -1 };

/**
 * Hands out producer ids, each once for ever: a block is reserved in the log before its first id is given,
 * and a restart begins the next block, leaving what remained of the last.
 */
export class ProducerIds {
  #next = 0;
  #end = 0;

  decide(image: MetadataImage, request: InitProducerIdRequest): Outcome<InitProducerIdResponse> {
    const errorCode = errorOf(request);
    if (errorCode !== ErrorCode.NONE) {
      return { records: [], response: { throttleTimeMs: 0, errorCode, ...NO_ID } };
    }
    const records = this.#next < this.#end ? [] : [this.#reserve(image)];
    const producerId = this.#next++;
    return { records, response: { throttleTimeMs: 0, errorCode, producerId, producerEpoch: 0 } };
  }

  /** A block for a coordinator of transactions, which hands out its ids itself. */
  allocate(image: MetadataImage): Outcome<AllocateProducerIdsResponse> {
    const producerIdStart = image.nextProducerId;
    return {
      records: [producerIdsRecord(image, producerIdStart + BLOCK_SIZE)],
      response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerIdStart, producerIdLen: BLOCK_SIZE },
    };
  }

  #reserve(image: MetadataImage) {
    this.#next = image.nextProducerId;
    this.#end = this.#next + BLOCK_SIZE;
    return producerIdsRecord(image, this.#end);
  }
}

/** A transactional id has a coordinator of its own, which is asked instead. */
function errorOf({ transactionalId, producerId, producerEpoch }: InitProducerIdRequest): number {
  if (transactionalId !== null) return ErrorCode.INVALID_REQUEST;
  return (producerId === -1) === (producerEpoch === -1) ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
}
