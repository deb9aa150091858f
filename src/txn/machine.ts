import { InvariantError } from '../model/assert.ts';
import type { Millis } from '../model/ids.ts';
import type { Answer, Ask, Decision, Machine, MachineRecord, MachineRequest } from '../model/machine.ts';
import { initProducerIdApi } from '../wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../wire/apis/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../wire/apis/26-end-txn.ts';
import { describeTransactionsApi } from '../wire/apis/65-describe-transactions.ts';
import { listTransactionsApi } from '../wire/apis/66-list-transactions.ts';
import type { Api, RequestOf } from '../wire/schema.ts';
import { decideAddPartitions } from './add-partitions.ts';
import { DEFAULT_TXN_CONFIG } from './config.ts';
import type { TxnConfig } from './config.ts';
import { Context, Turn } from './context.ts';
import type { Asked } from './context.ts';
import { decideDescribeTransactions, decideListTransactions } from './describe.ts';
import { askMarkers, decideEndTxn } from './end-txn.ts';
import { decideInitProducerId } from './init-producer-id.ts';
import { Markers } from './markers.ts';
import type { MarkersOptions } from './markers.ts';
import { ProducerIds } from './producer-ids.ts';
import { decodeRecord, transactionRecord } from './records.ts';
import { abortTimedOut, expireIds } from './timeouts.ts';
import { completed, isPrepared } from './transaction.ts';
import type { TransactionState } from './transaction.ts';

export interface TxnMachineOptions extends MarkersOptions {
  /** The shard that hands out producer ids. */
  controller: string;
  config?: Partial<TxnConfig>;
}

type DecideAny = (context: Context, turn: Turn, request: MachineRequest) => void;

/** The gateway decoded the body by the same schema; a type cannot follow it through the link between them. */
function on<A extends Api>(
  api: A,
  decide: (context: Context, turn: Turn, request: Asked<RequestOf<A>>) => void,
): [number, DecideAny] {
  return [
    api.key,
    (context, turn, request) => decide(context, turn, { ...request, body: request.body as RequestOf<A> }),
  ];
}

const DECISIONS: ReadonlyMap<number, DecideAny> = new Map([
  on(initProducerIdApi, decideInitProducerId),
  on(addPartitionsToTxnApi, (_, turn, request) => decideAddPartitions(turn, request)),
  on(endTxnApi, decideEndTxn),
  on(describeTransactionsApi, (_, turn, request) => decideDescribeTransactions(turn, request)),
  on(listTransactionsApi, decideListTransactions),
]);

/** The APIs a machine decides, by key; it is sent no other. */
export const TXN_APIS: readonly number[] = [...DECISIONS.keys()];

/**
 * The coordinator of all transactional ids of one partition of `__transaction_state`. All it knows of them is in the
 * log; which markers are missing follows from that, and who waits for a producer id is not. Records of a decision
 * must be applied before the next one.
 */
export class TxnMachine implements Machine {
  readonly #context: Context;

  constructor(options: TxnMachineOptions) {
    this.#context = new Context(
      { ...DEFAULT_TXN_CONFIG, ...options.config },
      { markers: new Markers(options), producerIds: new ProducerIds(options.controller) },
    );
  }

  decide(request: MachineRequest, nowMs: Millis): Decision {
    const turn = this.#turn(nowMs);
    this.#decide(turn, request);
    return turn;
  }

  #turn(nowMs: Millis): Turn {
    this.#context.time.observe(nowMs, this.wakeAtMs);
    return new Turn(this.#context, nowMs);
  }

  #decide(turn: Turn, request: MachineRequest): void {
    const decide = DECISIONS.get(request.apiKey);
    if (!decide) throw new InvariantError(`API ${request.apiKey} is no transaction coordinator's`);
    decide(this.#context, turn, request);
  }

  apply(record: MachineRecord, nowMs: Millis): void {
    const decoded = decodeRecord(record);
    if (decoded !== undefined) this.#context.apply(decoded, nowMs);
  }

  /** What was decided and is not complete gets its markers again: who has them already does nothing. */
  resume(nowMs: Millis): Decision {
    const turn = this.#turn(nowMs);
    for (const [transactionalId, transaction] of this.#context.transactions) {
      if (isPrepared(transaction)) askMarkers(this.#context, turn, transactionalId, transaction);
    }
    return turn;
  }

  answered(ask: Ask, answer: Answer, nowMs: Millis): Decision | 'again' {
    const turn = this.#turn(nowMs);
    const { producerIds, markers } = this.#context;
    if (producerIds.isAsk(ask)) {
      const waiting = producerIds.answered(answer);
      if (waiting === undefined) return 'again';
      for (const request of waiting) this.#decide(turn, request);
      return turn;
    }
    const answered = markers.answered(ask, answer);
    if (answered === 'again') return 'again';
    const transaction = answered.complete === undefined ? undefined : turn.find(answered.complete);
    if (answered.complete !== undefined && transaction !== undefined) {
      turn.write(answered.complete, completed(transaction, nowMs));
    }
    return turn;
  }

  tick(nowMs: Millis): Decision {
    const turn = this.#turn(nowMs);
    abortTimedOut(this.#context, turn);
    expireIds(this.#context, turn);
    return turn;
  }

  get wakeAtMs(): Millis {
    return this.#context.wakeAtMs;
  }

  forget(link: number): void {
    this.#context.producerIds.forget(link);
  }

  /** Of each transactional id. */
  *states(): Iterable<TransactionState> {
    for (const { state } of this.#context.transactions.values()) yield state;
  }

  *snapshot(): Iterable<MachineRecord> {
    for (const [transactionalId, transaction] of this.#context.transactions) {
      yield transactionRecord(transactionalId, transaction);
    }
  }
}
