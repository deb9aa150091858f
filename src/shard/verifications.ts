import type { PartitionLog } from '../log/partition-log.ts';
import { TRANSACTIONS_V2_SINCE_PRODUCE_VERSION } from '../log/partition-log.ts';
import { type Refused, refused } from '../log/append.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Answer, Ask } from '../model/machine.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import { BatchHeader } from '../records/header.ts';
import type { ProduceRequest } from '../wire/apis/00-produce.ts';
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
} from '../wire/apis/24-add-partitions-to-txn.ts';
import type { Shard } from './shard.ts';

/** A batch that is ready to be appended, and who sent it. */
export interface ReadyBatch {
  request: ShardRequest;
  records: Uint8Array;
}

/** What becomes of batches once it is known whether they belong to a transaction. */
type Settle = (batch: ReadyBatch, refusal: Refused | undefined) => void;

/** A producer's batches that wait for its coordinator. */
interface Verification {
  producerId: number;
  producerEpoch: number;
  batches: ReadyBatch[];
  /** A marker was written meanwhile: the coordinator's word may be about the transaction before. */
  isVoid: boolean;
  callOff: () => void;
}

/** Its clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE_PRODUCE_VERSION = 11;

/**
 * No record of a transaction is written that its coordinator does not know of: nobody would ever end it (KIP-890).
 * Before a producer's first batch here its coordinator is asked: whether this partition is in the transaction, or, for
 * clients of transactions v2, which do not say so themselves, to add it.
 */
export class Verifications {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  readonly #settle: Settle;
  readonly #waiting = new Set<Verification>();

  /** @param settle called in order, now or later, for all batches that were not admitted at once. */
  constructor(shard: Shard, log: PartitionLog, settle: Settle) {
    this.#shard = shard;
    this.#log = log;
    this.#settle = settle;
  }

  /** @returns whether it may be appended at once; else it waits, behind those of its producer that do. */
  admit(batch: ReadyBatch): boolean {
    const { producerId, producerEpoch } = new BatchHeader(batch.records);
    const state = this.#log.producers.get(producerId);
    if (state && state.txnFirstOffset >= 0 && state.epoch === producerEpoch) return true;
    const { transactionCoordinator } = this.#shard.spec;
    if (transactionCoordinator === undefined) return true;
    for (const verification of this.#waiting) {
      if (verification.producerId !== producerId || verification.producerEpoch !== producerEpoch) continue;
      verification.batches.push(batch);
      return false;
    }
    const { transactionalId } = batch.request.body as ProduceRequest;
    const refusal = this.#refusalOf(batch);
    const shard = transactionalId === null ? undefined : transactionCoordinator(transactionalId);
    if (refusal !== undefined) this.#settle(batch, refusal);
    else if (shard === undefined)
      this.#settle(batch, this.#unverified(batch, ErrorCode.COORDINATOR_NOT_AVAILABLE));
    else this.#ask(batch, { producerId, producerEpoch, shard });
    return false;
  }

  #ask(
    batch: ReadyBatch,
    { producerId, producerEpoch, shard }: { producerId: number; producerEpoch: number; shard: string },
  ): void {
    const verification: Verification = {
      producerId,
      producerEpoch,
      batches: [batch],
      isVoid: false,
      callOff: () => {},
    };
    this.#waiting.add(verification);
    const ask = this.#askFor(batch, { producerId, producerEpoch, shard });
    verification.callOff = this.#shard.parts.asks.ask(ask, (answer) => {
      this.#answered(verification, answer);
      return true;
    });
  }

  #askFor({ request }: ReadyBatch, to: { producerId: number; producerEpoch: number; shard: string }): Ask {
    const { producerId, producerEpoch, shard } = to;
    const { topic, partition } = this.#log.name;
    const transaction = {
      transactionalId: (request.body as ProduceRequest).transactionalId ?? '',
      producerId,
      producerEpoch,
      verifyOnly: request.apiVersion < TRANSACTIONS_V2_SINCE_PRODUCE_VERSION,
      topics: [{ name: topic, partitions: [partition] }],
    };
    const body: AddPartitionsToTxnRequest = {
      transactions: [transaction],
      v3AndBelowTransactionalId: '',
      v3AndBelowProducerId: -1,
      v3AndBelowProducerEpoch: -1,
      v3AndBelowTopics: [],
    };
    const { key, versions } = addPartitionsToTxnApi;
    return { shard, apiKey: key, apiVersion: versions.max, body };
  }

  #answered(verification: Verification, answer: Answer): void {
    this.#waiting.delete(verification);
    const errorCode = errorOf(answer);
    for (const batch of verification.batches) {
      const isStale = errorCode === ErrorCode.NONE && verification.isVoid;
      if (isStale)
        this.#settle(batch, refused(ErrorCode.INVALID_TXN_STATE, 'the transaction has ended meanwhile'));
      else this.#settle(batch, errorCode === ErrorCode.NONE ? undefined : this.#unverified(batch, errorCode));
    }
  }

  /** A marker of that producer is written: what the coordinator says of it from now on is asked for anew. */
  ended(producerId: number): void {
    for (const verification of this.#waiting)
      if (verification.producerId === producerId) verification.isVoid = true;
  }

  /** The log is gone. @returns whose batches waited. */
  stop(): ShardRequest[] {
    const batches = [...this.#waiting].flatMap((verification) => {
      verification.callOff();
      return verification.batches;
    });
    this.#waiting.clear();
    return batches.map(({ request }) => request);
  }

  /** What it would be refused for in any transaction: nobody is asked about it. */
  #refusalOf({ request, records }: ReadyBatch): Refused | undefined {
    const { apiVersion, body } = request;
    const refusal = this.#log.refusalOf(records, { apiVersion, nowMs: this.#shard.parts.clock.now() });
    if (refusal !== undefined || (body as ProduceRequest).transactionalId !== null) return refusal;
    const message = 'a batch of a transaction without a transactional id';
    return refused(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message);
  }

  /** As Kafka tells it to clients of each age; the batches behind must not be taken before this one comes again. */
  #unverified({ request, records }: ReadyBatch, errorCode: number): Refused {
    const { refusals, parts } = this.#shard;
    refusals.add(records, parts.clock.now());
    const message = `not known to be part of the transaction (its coordinator answered ${errorCode})`;
    return refused(toldCode(errorCode, request.apiVersion), message);
  }
}

function errorOf({ body, errorCode }: Answer): number {
  if (errorCode !== undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const response = body as AddPartitionsToTxnResponse;
  if (response.errorCode !== ErrorCode.NONE) return response.errorCode;
  const result = response.resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0];
  return result?.partitionErrorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE;
}

/** Old clients retry NOT_ENOUGH_REPLICAS, and take no coordinator's error from a leader. */
function toldCode(errorCode: number, apiVersion: number): number {
  switch (errorCode) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.NETWORK_EXCEPTION:
      return ErrorCode.NOT_ENOUGH_REPLICAS;
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return apiVersion >= TRANSACTIONS_V2_SINCE_PRODUCE_VERSION ? errorCode : ErrorCode.NOT_ENOUGH_REPLICAS;
    // Fatal is it from a coordinator alone; a producer that was fenced hears it there, one that aborts goes on.
    case ErrorCode.PRODUCER_FENCED:
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    case ErrorCode.TRANSACTION_ABORTABLE:
      return apiVersion >= ABORTABLE_SINCE_PRODUCE_VERSION ? errorCode : ErrorCode.INVALID_TXN_STATE;
    default:
      return errorCode;
  }
}
