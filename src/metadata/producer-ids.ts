import { ErrorCode } from '../model/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponse } from '../wire/apis/22-init-producer-id.ts';
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

  #reserve(image: MetadataImage) {
    this.#next = image.nextProducerId;
    this.#end = this.#next + BLOCK_SIZE;
    return producerIdsRecord(image, this.#end);
  }
}

/**
 * Transactions are not served yet. Of the codes clients do not retry, UNSUPPORTED_VERSION says so best:
 * with 15 or 16 a producer looks for its coordinator until it times out, and 53 sends people searching
 * their ACLs.
 */
function errorOf({ transactionalId, producerId, producerEpoch }: InitProducerIdRequest): number {
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
  if (transactionalId !== null) return ErrorCode.UNSUPPORTED_VERSION;
  return (producerId === -1) === (producerEpoch === -1) ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
}
