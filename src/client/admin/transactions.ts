import type { Millis } from '../../model/ids.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import {
  describeTransactionsApi,
  type DescribeTransactionsResponse,
} from '../../wire/apis/65-describe-transactions.ts';
import { listTransactionsApi } from '../../wire/apis/66-list-transactions.ts';
import { findCoordinators, KeyType } from '../group/find-coordinator.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { type ActiveProducer, abortAt, producersOf } from './active-producers.ts';
import { type AdminOptions, allFor, type AskBroker, type Asking, type Outcome, outcomeOf } from './asking.ts';
import { inOrder } from './group-offsets.ts';
import { type HangingOptions, hangingOf } from './hanging-transactions.ts';
import type { OffsetFinder } from './offset-finder.ts';
import type { TopicsAdmin } from './topics.ts';

/** v1 asks for those that run long (KIP-994), v2 for ids that match a pattern (KIP-1152). */
const LIST_VERSIONS = { min: 0, max: 2 };
const DURATION_VERSION = 1;
const PATTERN_VERSION = 2;
const DESCRIBE_VERSIONS = { min: 0, max: 0 };
const INIT_VERSIONS = { min: 0, max: 5 };
/** Whoever fences begins nothing that could time out. */
const FENCING_TIMEOUT_MS = 60_000;

export interface TransactionListing {
  transactionalId: string;
  producerId: number;
  /** `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`, `CompleteAbort`. */
  state: string;
}

export interface TransactionFilter {
  states?: readonly string[];
  producerIds?: readonly number[];
  /** Those alone that have been going on for so long. Needs a broker of Kafka 3.8. */
  olderThanMs?: Millis;
  /** A regular expression (RE2) for transactional ids. Needs a broker of Kafka 4.1. */
  pattern?: string;
}

export interface TransactionDescription extends TransactionListing {
  producerEpoch: number;
  timeoutMs: Millis;
  /** Null where none is going on. */
  startedAtMs: Millis | null;
  /** Where it has written. */
  partitions: TopicPartition[];
  /** The broker that coordinates it. */
  coordinatorId: number;
}

/** Transactions: `client.admin.transactions` (KIP-664). */
export class TransactionsAdmin {
  readonly #asking: Asking;
  readonly #topics: TopicsAdmin;
  readonly #finder: OffsetFinder;

  /** @internal */
  constructor(asking: Asking, topics: TopicsAdmin, finder: OffsetFinder) {
    this.#asking = asking;
    this.#topics = topics;
    this.#finder = finder;
  }

  /** Of all coordinators, by transactional id. */
  async list(filter: TransactionFilter & AdminOptions = {}): Promise<TransactionListing[]> {
    const { states = [], producerIds = [], olderThanMs, pattern, signal } = filter;
    const needed = pattern !== undefined ? PATTERN_VERSION : olderThanMs !== undefined ? DURATION_VERSION : 0;
    const request = {
      stateFilters: [...states],
      producerIdFilters: [...producerIds],
      durationFilter: olderThanMs ?? -1,
      transactionalIdPattern: pattern ?? null,
    };
    const found = await this.#asking.ofBrokers(
      async (broker, where) => {
        const answer = await broker.request(listTransactionsApi, { ...LIST_VERSIONS, min: needed }, request, {
          signal,
        });
        return outcomeOf(answer, { where, value: answer.transactionStates });
      },
      { signal },
    );
    return found
      .flat()
      .map(({ transactionalId, producerId, transactionState: state }) => ({
        transactionalId,
        producerId,
        state,
      }))
      .sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1));
  }

  /** @throws MilenaError TRANSACTIONAL_ID_NOT_FOUND, TRANSACTIONAL_ID_AUTHORIZATION_FAILED */
  describe(transactionalId: string, options?: AdminOptions): Promise<TransactionDescription>;
  /** As many, in order. */
  describe(transactionalIds: readonly string[], options?: AdminOptions): Promise<TransactionDescription[]>;
  async describe(
    given: string | readonly string[],
    { signal }: AdminOptions = {},
  ): Promise<TransactionDescription | TransactionDescription[]> {
    const ids = typeof given === 'string' ? [given] : given;
    const coordinators = new Map<string, Outcome<number>>();
    const ask: AskBroker<string, TransactionDescription> = async (broker, some) => {
      const request = { transactionalIds: [...some] };
      const answer = await broker.request(describeTransactionsApi, DESCRIBE_VERSIONS, request, { signal });
      return new Map(
        answer.transactionStates.map((state) => [
          state.transactionalId,
          outcomeOf(state, {
            where: `transactional id ${state.transactionalId}`,
            value: descriptionOf(state, coordinators.get(state.transactionalId)),
          }),
        ]),
      );
    };
    const described = allFor(ids, await this.#ofCoordinators(ids, ask, { signal, coordinators }));
    return typeof given === 'string' ? (described[0] as TransactionDescription) : described;
  }

  /**
   * Producers that partitions know, and the transactions that are open there, in order of partitions and producer ids.
   * @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION
   */
  producers(partitions: readonly TopicPartition[], options: AdminOptions = {}): Promise<ActiveProducer[]> {
    return producersOf(this.#asking, partitions, options);
  }

  /**
   * Open transactions that no coordinator would end: nobody who reads `read_committed` gets past them. Those alone that
   * have written nothing for `olderThanMs`.
   */
  hanging(options: HangingOptions = {}): Promise<ActiveProducer[]> {
    const parts = { asking: this.#asking, topics: this.#topics, finder: this.#finder, transactions: this };
    return hangingOf(parts, options);
  }

  /**
   * Ends a hanging transaction in one partition: writes the marker that its coordinator does not. Of one that goes on
   * it tears a part out, so be sure: see `hanging`.
   * @throws MilenaError INVALID_TXN_STATE, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED
   */
  abort(producer: ActiveProducer, options: AdminOptions = {}): Promise<void> {
    return abortAt(this.#asking, producer, options);
  }

  /**
   * Takes transactional ids away from whoever has them: what is going on is aborted, and the next call of a producer
   * fails with PRODUCER_FENCED.
   */
  async fence(given: string | readonly string[], { signal }: AdminOptions = {}): Promise<void> {
    const ids = typeof given === 'string' ? [given] : given;
    const ask: AskBroker<string, true> = async (broker, some) => {
      const fenced = some.map(async (transactionalId): Promise<[string, Outcome<true>]> => {
        const request = { transactionalId, transactionTimeoutMs: FENCING_TIMEOUT_MS };
        const answer = await broker.request(initProducerIdApi, INIT_VERSIONS, request, { signal });
        return [
          transactionalId,
          outcomeOf(answer, { where: `transactional id ${transactionalId}`, value: true }),
        ];
      });
      return new Map(await Promise.all(fenced));
    };
    allFor(ids, await this.#ofCoordinators(ids, ask, { signal }));
  }

  #ofCoordinators<T>(
    ids: readonly string[],
    ask: AskBroker<string, T>,
    { signal, coordinators }: AdminOptions & { coordinators?: Map<string, Outcome<number>> },
  ): Promise<Map<string, Outcome<T>>> {
    const askAll = async (some: readonly string[]) => {
      const found = await findCoordinators(this.#asking.cluster, some, KeyType.transaction);
      for (const [id, nodeId] of found) coordinators?.set(id, nodeId);
      return this.#asking.split(found, ask);
    };
    return this.#asking.each(ids, askAll, { signal });
  }
}

function descriptionOf(
  state: DescribeTransactionsResponse['transactionStates'][number],
  coordinatorId: Outcome<number> | undefined,
): TransactionDescription {
  const partitions = state.topics.flatMap(({ topic, partitions: some }) =>
    some.map((partition) => ({ topic, partition })),
  );
  return {
    transactionalId: state.transactionalId,
    state: state.transactionState,
    producerId: state.producerId,
    producerEpoch: state.producerEpoch,
    timeoutMs: state.transactionTimeoutMs,
    startedAtMs: state.transactionStartTimeMs < 0 ? null : state.transactionStartTimeMs,
    partitions: partitions.sort(inOrder),
    coordinatorId: typeof coordinatorId === 'number' ? coordinatorId : -1,
  };
}
