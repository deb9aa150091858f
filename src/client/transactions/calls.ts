import { ErrorCode } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../wire/apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../wire/apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../wire/apis/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../wire/apis/28-txn-offset-commit.ts';
import type { ClientParts } from '../client-parts.ts';
import { BrokerError } from '../errors.ts';
import type { Versions } from '../exchange.ts';
import { Coordinator } from '../group/coordinator.ts';
import { findCoordinator, KeyType } from '../group/find-coordinator.ts';
import { check, commitOf, type GroupPosition, type Identity } from '../group/offsets.ts';
import type { ProducerIdentity } from '../producer/partition-queue.ts';
import { byTopic, titleOf, type TopicPartition } from '../topic-partition.ts';

/** v3 is the first to tell a retry from a zombie (KIP-360). */
const INIT_VERSIONS = { min: 3, max: 5 };
/** From v4 on they are for brokers. */
const ADD_PARTITIONS_VERSIONS = { min: 0, max: 3 };
const ADD_OFFSETS_VERSIONS = { min: 0, max: 3 };
/** By the version of transactions. */
const END_VERSIONS: Readonly<Record<TransactionsVersion, Versions>> = {
  1: { min: 0, max: 4 },
  2: { min: 5, max: 5 },
};
const COMMIT_VERSIONS: Readonly<Record<TransactionsVersion, Versions>> = {
  1: { min: 0, max: 4 },
  2: { min: 5, max: 5 },
};
const FEATURE = 'transaction.version';
const OWNER = 'the transactional producer';

/** With 2 each end moves the epoch, and what is written to is part of the transaction by that (KIP-890). */
export type TransactionsVersion = 1 | 2;

/** What a transactional producer asks coordinators, of its id and of groups; each call is tried again for a while. */
export class TransactionCalls {
  readonly #parts: ClientParts;
  readonly #transactionalId: string;
  readonly #coordinator: Coordinator;
  readonly #groups = new Map<string, Coordinator>();

  constructor(parts: ClientParts, transactionalId: string) {
    this.#parts = parts;
    this.#transactionalId = transactionalId;
    const find = () => findCoordinator(parts.cluster, transactionalId, KeyType.transaction);
    this.#coordinator = new Coordinator({ ...parts, find, owner: OWNER });
  }

  /** What the cluster has agreed to speak. @throws BrokerError, ConnectionLost */
  version(): Promise<TransactionsVersion> {
    return this.#coordinator.ask('living', {}, async (exchange) => {
      const isV2 =
        exchange.featureLevel(FEATURE) >= 2 && (exchange.versions.get(endTxnApi.key)?.max ?? 0) >= 5;
      return isV2 ? 2 : 1;
    });
  }

  /** Begins, or goes on after `known`; what is open is aborted. @throws BrokerError, ConnectionLost */
  initProducerId(
    transactionTimeoutMs: Millis,
    known: ProducerIdentity | undefined,
  ): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = known ?? { producerId: -1, producerEpoch: -1 };
    const { title: where } = this;
    const request = {
      transactionalId: this.#transactionalId,
      transactionTimeoutMs,
      producerId,
      producerEpoch,
    };
    return this.#coordinator.ask('living', {}, async (exchange, options) => {
      const answer = await exchange.request(initProducerIdApi, INIT_VERSIONS, request, options);
      check(answer.errorCode, where);
      return identityOf(answer);
    });
  }

  /** @throws BrokerError, ConnectionLost */
  async addPartitions(identity: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = byTopic(partitions).map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => partition),
    }));
    const request = {
      v3AndBelowTransactionalId: this.#transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: topics,
    };
    await this.#coordinator.ask('living', {}, async (exchange, options) => {
      const answer = await exchange.request(addPartitionsToTxnApi, ADD_PARTITIONS_VERSIONS, request, options);
      for (const { name: topic, resultsByPartition } of answer.resultsByTopicV3AndBelow)
        for (const { partitionIndex: partition, partitionErrorCode } of resultsByPartition)
          // It says of others that they were not attempted, and of one why.
          if (partitionErrorCode !== ErrorCode.OPERATION_NOT_ATTEMPTED)
            check(partitionErrorCode, `${this.title}, ${titleOf({ topic, partition })}`);
    });
  }

  /** @throws BrokerError, ConnectionLost */
  async addOffsets(identity: ProducerIdentity, groupId: string): Promise<void> {
    const request = { transactionalId: this.#transactionalId, ...numbersOf(identity), groupId };
    await this.#coordinator.ask('living', {}, async (exchange, options) => {
      const answer = await exchange.request(addOffsetsToTxnApi, ADD_OFFSETS_VERSIONS, request, options);
      check(answer.errorCode, this.title);
    });
  }

  /** @throws BrokerError what the group's coordinator says of the member, or of the positions; ConnectionLost */
  async commitOffsets(
    identity: ProducerIdentity,
    version: TransactionsVersion,
    { groupId, by, positions }: { groupId: string; by: Identity; positions: readonly GroupPosition[] },
  ): Promise<void> {
    const request = {
      transactionalId: this.#transactionalId,
      ...numbersOf(identity),
      ...commitOf(groupId, by, positions),
    };
    await this.#group(groupId).ask('living', {}, async (exchange, options) => {
      const answer = await exchange.request(txnOffsetCommitApi, COMMIT_VERSIONS[version], request, options);
      for (const { name: topic, partitions } of answer.topics)
        for (const { partitionIndex: partition, errorCode } of partitions)
          check(errorCode, `group ${groupId}, ${titleOf({ topic, partition })}`);
    });
  }

  /** @returns who the producer is from now on. @throws BrokerError, ConnectionLost */
  end(
    identity: ProducerIdentity,
    version: TransactionsVersion,
    committed: boolean,
  ): Promise<ProducerIdentity> {
    const request = { transactionalId: this.#transactionalId, ...numbersOf(identity), committed };
    return this.#coordinator.ask('living', {}, async (exchange, options) => {
      const answer = await exchange.request(endTxnApi, END_VERSIONS[version], request, options);
      check(answer.errorCode, this.title);
      return version === 2 ? identityOf(answer) : identity;
    });
  }

  /** For people. */
  get title(): string {
    return `transactional id ${this.#transactionalId}`;
  }

  close(): void {
    this.#coordinator.close();
    for (const group of this.#groups.values()) group.close();
  }

  #group(groupId: string): Coordinator {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const find = () => findCoordinator(this.#parts.cluster, groupId);
    const made = new Coordinator({ ...this.#parts, find, owner: OWNER });
    this.#groups.set(groupId, made);
    return made;
  }
}

function identityOf({ producerId, producerEpoch }: ProducerIdentity): ProducerIdentity {
  return { producerId, producerEpoch, isTransactional: true };
}

function numbersOf({ producerId, producerEpoch }: ProducerIdentity) {
  return { producerId, producerEpoch };
}

/** Who was the producer is so no more: another has begun with its id, or its time was up. */
export function isFenced(error: unknown): boolean {
  return error instanceof BrokerError && FENCED.has(error.errorCode);
}

const FENCED: ReadonlySet<number> = new Set([ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH]);
