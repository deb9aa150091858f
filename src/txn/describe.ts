import { ErrorCode } from '../model/errors.ts';
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../wire/apis/65-describe-transactions.ts';
import type { ListTransactionsRequest, ListTransactionsResponse } from '../wire/apis/66-list-transactions.ts';
import type { Asked, Context, Turn } from './context.ts';
import { TRANSACTION_STATES } from './transaction.ts';
import type { Transaction } from './transaction.ts';

type Described = DescribeTransactionsResponse['transactionStates'][number];

const STATES: ReadonlySet<string> = new Set(TRANSACTION_STATES);

export function decideDescribeTransactions(
  turn: Turn,
  { from, body }: Asked<DescribeTransactionsRequest>,
): void {
  const transactionStates = body.transactionalIds.map((id) => describe(id, turn.find(id)));
  turn.reply(from, { throttleTimeMs: 0, transactionStates } satisfies DescribeTransactionsResponse);
}

function describe(transactionalId: string, transaction: Transaction | undefined): Described {
  if (transaction === undefined) {
    const errorCode =
      transactionalId === '' ? ErrorCode.INVALID_REQUEST : ErrorCode.TRANSACTIONAL_ID_NOT_FOUND;
    return noDescription(transactionalId, errorCode);
  }
  return {
    errorCode: ErrorCode.NONE,
    transactionalId,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startedAtMs,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: [...transaction.partitions].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    })),
  };
}

export function noDescription(transactionalId: string, errorCode: number): Described {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  };
}

/** The transactional ids of this partition alone. An empty filter lets all through; states are names as printed. */
export function decideListTransactions(
  context: Context,
  turn: Turn,
  { from, body }: Asked<ListTransactionsRequest>,
): void {
  const states = new Set(body.stateFilters);
  const producerIds = new Set(body.producerIdFilters);
  const transactionStates: ListTransactionsResponse['transactionStates'] = [];
  for (const [transactionalId, { state, producerId, startedAtMs }] of context.transactions) {
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue;
    if (states.size > 0 && !states.has(state)) continue;
    if (body.durationFilter >= 0 && turn.nowMs - startedAtMs <= body.durationFilter) continue;
    transactionStates.push({ transactionalId, producerId, transactionState: state });
  }
  turn.reply(from, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    unknownStateFilters: body.stateFilters.filter((name) => !STATES.has(name)),
    transactionStates,
  } satisfies ListTransactionsResponse);
}
