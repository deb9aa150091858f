import { ErrorCode } from '../model/errors.ts';
import type { Answer, Ask } from '../model/machine.ts';
import { writeTxnMarkersApi } from '../wire/apis/27-write-txn-markers.ts';
import type { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../wire/apis/27-write-txn-markers.ts';
import type { Transaction } from './transaction.ts';

export interface MarkersOptions {
  /** Leader epoch of the coordinator's log: who was coordinator before is fenced by it. */
  coordinatorEpoch: number;
  /** The shard of a partition; undefined where there is none (any more). */
  shardOf: (topic: string, partition: number) => string | undefined;
}

interface Target {
  transactionalId: string;
  topic: string;
  partition: number;
}

/** Which markers are still to be written. Follows from the log: what is not complete is asked again from the start. */
export class Markers {
  readonly #options: MarkersOptions;
  readonly #targets = new Map<Ask, Target>();
  /** Transactional id -> how many partitions are without their marker. */
  readonly #missing = new Map<string, number>();

  constructor(options: MarkersOptions) {
    this.#options = options;
  }

  /** One ask a partition; none when no partition is left that could have a marker. */
  begin(transactionalId: string, transaction: Transaction): readonly Ask[] {
    const asks: Ask[] = [];
    for (const [topic, partitions] of transaction.partitions) {
      for (const partition of partitions) {
        const shard = this.#options.shardOf(topic, partition);
        if (shard === undefined) continue;
        const ask = this.#askOf(shard, transaction, { topic, partition });
        this.#targets.set(ask, { transactionalId, topic, partition });
        asks.push(ask);
      }
    }
    if (asks.length > 0) this.#missing.set(transactionalId, asks.length);
    return asks;
  }

  #askOf(
    shard: string,
    { producerId, producerEpoch, state, clientVersion }: Transaction,
    { topic, partition }: { topic: string; partition: number },
  ): Ask {
    const marker = {
      producerId,
      producerEpoch,
      transactionResult: state === 'PrepareCommit',
      topics: [{ name: topic, partitionIndexes: [partition] }],
      coordinatorEpoch: this.#options.coordinatorEpoch,
      transactionVersion: clientVersion,
    };
    const { key, versions } = writeTxnMarkersApi;
    return {
      shard,
      apiKey: key,
      apiVersion: versions.max,
      body: { markers: [marker] } satisfies WriteTxnMarkersRequest,
    };
  }

  /** `again` if the marker is not written; else which transaction has all of its markers now. */
  answered(ask: Ask, answer: Answer): 'again' | { complete: string | undefined } {
    const target = this.#targets.get(ask);
    if (target === undefined) return { complete: undefined };
    const { transactionalId } = target;
    const errorCode = this.#errorOf(target, answer);
    if (errorCode === ErrorCode.TRANSACTION_COORDINATOR_FENCED) {
      this.#giveUp(transactionalId);
      return { complete: undefined };
    }
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.INVALID_PRODUCER_EPOCH) return 'again';
    this.#targets.delete(ask);
    const missing = (this.#missing.get(transactionalId) ?? 1) - 1;
    if (missing === 0) this.#missing.delete(transactionalId);
    else this.#missing.set(transactionalId, missing);
    return { complete: missing === 0 ? transactionalId : undefined };
  }

  /**
   * A later coordinator than this one has written there: asking again gives the same answer for ever. As in Kafka, the
   * next one asks, which finds the decision in the log.
   */
  #giveUp(transactionalId: string): void {
    this.#missing.delete(transactionalId);
    for (const [ask, target] of this.#targets) {
      if (target.transactionalId === transactionalId) this.#targets.delete(ask);
    }
  }

  /**
   * NONE where the topic is gone. Where a newer producer epoch has ended what was open (INVALID_PRODUCER_EPOCH) nothing
   * is left to write either.
   */
  #errorOf({ topic, partition }: Target, { body, errorCode }: Answer): number | undefined {
    if (this.#options.shardOf(topic, partition) === undefined) return ErrorCode.NONE;
    const answered = (body as WriteTxnMarkersResponse | undefined)?.markers[0]?.topics[0]?.partitions[0];
    return errorCode ?? answered?.errorCode;
  }
}
