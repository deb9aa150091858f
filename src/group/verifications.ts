import { ErrorCode } from '../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../model/ids.ts';
import type { Answer, Ask } from '../model/machine.ts';
import {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnApi,
} from '../wire/apis/24-add-partitions-to-txn.ts';
import type { TxnOffsetCommitRequest } from '../wire/apis/28-txn-offset-commit.ts';
import type { Asked } from './context.ts';

export interface VerificationsOptions {
  /** Of `__consumer_offsets`: the machine's own. */
  partition: number;
  /** The shard that coordinates a transactional id; undefined while there is none. */
  transactionCoordinator: (transactionalId: string) => string | undefined;
}

/** A request that waits for the word of the transaction's coordinator. */
interface Verification {
  request: Asked<TxnOffsetCommitRequest>;
  /** A transaction of its producer has ended meanwhile: the word may be of that one. */
  isStale: boolean;
}

/** From this version of TxnOffsetCommit on partitions become part of a transaction by being written to (KIP-890). */
const V2_VERSION = 5;
/** From this version on a client knows TRANSACTION_ABORTABLE. */
const ABORTABLE_VERSION = 4;

/**
 * Whether this partition is part of a transaction the coordinator alone can tell, and is asked before the first record
 * of each: what came after its end would else wait for ever (KIP-890). Of a client of v2 the question adds it.
 */
export class Verifications {
  readonly #options: VerificationsOptions;
  readonly #open = new Map<Ask, Verification>();

  constructor(options: VerificationsOptions) {
    this.#options = options;
  }

  /** @returns the question; undefined where nobody coordinates the id. */
  begin(request: Asked<TxnOffsetCommitRequest>): Ask | undefined {
    const { transactionalId, producerId, producerEpoch } = request.body;
    const shard = this.#options.transactionCoordinator(transactionalId);
    if (shard === undefined) return undefined;
    const transaction = {
      transactionalId,
      producerId,
      producerEpoch,
      verifyOnly: request.apiVersion < V2_VERSION,
      topics: [{ name: CONSUMER_OFFSETS_TOPIC, partitions: [this.#options.partition] }],
    };
    const { key, versions } = addPartitionsToTxnApi;
    const body: Pick<AddPartitionsToTxnRequest, 'transactions'> = { transactions: [transaction] };
    const ask: Ask = { shard, apiKey: key, apiVersion: versions.max, body };
    this.#open.set(ask, { request, isStale: false });
    return ask;
  }

  /** The request and what is to become of it; `again` if another question is needed first. */
  answered(
    ask: Ask,
    answer: Answer,
  ): { request: Asked<TxnOffsetCommitRequest>; errorCode: number | 'again' } | undefined {
    const verification = this.#open.get(ask);
    if (verification === undefined) return undefined;
    this.#open.delete(ask);
    const { request, isStale } = verification;
    const errorCode = codeFor(answer, request.apiVersion);
    return { request, errorCode: isStale && errorCode === ErrorCode.NONE ? 'again' : errorCode };
  }

  ended(producerId: number): void {
    for (const each of this.#open.values())
      if (each.request.body.producerId === producerId) each.isStale = true;
  }
}

/** In codes that clients of TxnOffsetCommit know. */
function codeFor({ body, errorCode }: Answer, apiVersion: number): number {
  if (errorCode !== undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const [transaction] = (body as AddPartitionsToTxnResponse).resultsByTransaction;
  const code = transaction?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode;
  if (code === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH;
  if (code === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < ABORTABLE_VERSION)
    return ErrorCode.INVALID_TXN_STATE;
  return code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
}
