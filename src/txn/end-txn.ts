import { ErrorCode } from '../model/errors.ts';
import type { EndTxnRequest, EndTxnResponse } from '../wire/apis/26-end-txn.ts';
import type { Asked, Context, Turn } from './context.ts';
import { fencedCode } from './fenced-code.ts';
import {
  completed,
  EPOCH_BUMP_VERSION,
  fenced,
  isExhausted,
  isPrepared,
  NO_EPOCH,
  NO_PRODUCER_ID,
  prepared,
  V1_CLIENT,
  V2_CLIENT,
} from './transaction.ts';
import type { Transaction } from './transaction.ts';

type End = Asked<EndTxnRequest>;

/** From this version on clients speak transactions v2: every end moves the epoch (KIP-890). */
const V2_VERSION = 5;
/** Of a producer id the last epoch that a client is ever told. */
const LAST_EPOCH = 0x7ffe;

/**
 * Commits or aborts. Answered once the decision is committed; the markers come after. The same again is told the same.
 *
 * What the epoch says, and the state, with v2 (`retry` is the epoch before the present one):
 *
 *                     abort: retry  present       commit: retry  present
 *   Ongoing                  90     ends                  90     ends
 *   Prepare                  51     90                    51     90
 *   Empty                    90     ends                  90     48
 *   CompleteAbort            0      ends                  48     48
 *   CompleteCommit           48     ends                  0      48
 *
 * An epoch that the end did not move tells of no retry, and is 90. Before v2 there is no epoch to tell a retry by:
 * what is complete takes the same result and refuses the other with 48, Prepare is 51, Empty 48. So a delayed EndTxn
 * could end the next transaction; with v2 it cannot.
 */
export function decideEndTxn(context: Context, turn: Turn, request: End): void {
  const { body, apiVersion } = request;
  if (body.transactionalId === '') return refuse(turn, request, ErrorCode.INVALID_REQUEST);
  const before = turn.find(body.transactionalId);
  if (before === undefined) return refuse(turn, request, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  const isV2 = apiVersion >= V2_VERSION;
  const verdict = isV2 ? judge(before, body) : judgeV1(before, body);
  if (verdict === 'done') return answer(turn, request, before);
  if (verdict !== 'end') return refuse(turn, request, verdict);
  const nextProducerId =
    isV2 && isExhausted(before.producerEpoch) ? context.producerIds.take() : NO_PRODUCER_ID;
  if (nextProducerId === undefined) {
    turn.asks.push(...context.producerIds.queue(request));
    return;
  }
  const { committed } = body;
  const clientVersion = isV2 ? V2_CLIENT : V1_CLIENT;
  const ending = prepared(before, { committed, clientVersion, nextProducerId, nowMs: turn.nowMs });
  end(context, turn, body.transactionalId, ending);
  answer(turn, request, completed(ending, turn.nowMs));
}

/** A transaction whose time is up, or whose producer was replaced: it is aborted, and its producer fenced. */
export function abort(context: Context, turn: Turn, transactionalId: string, open: Transaction): void {
  end(context, turn, transactionalId, fenced(open, turn.nowMs));
}

/** Writes the decision and asks for its markers; where there are none to write it is complete at once. */
function end(context: Context, turn: Turn, transactionalId: string, ending: Transaction): void {
  turn.write(transactionalId, ending);
  askMarkers(context, turn, transactionalId, ending);
}

/** Of what is decided and not complete. */
export function askMarkers(context: Context, turn: Turn, transactionalId: string, ending: Transaction): void {
  const asks = context.markers.begin(transactionalId, ending);
  if (asks.length === 0) turn.write(transactionalId, completed(ending, turn.nowMs));
  else turn.asks.push(...asks);
}

/** What is to be done: the end, nothing since it is done, or an error to answer. */
type Verdict = 'end' | 'done' | number;

function judge(before: Transaction, { producerId, producerEpoch, committed }: EndTxnRequest): Verdict {
  const { state } = before;
  // The answer that told it of a new producer id was lost.
  const isRetryOfLast =
    producerId === before.previousProducerId && producerEpoch === LAST_EPOCH && before.producerEpoch === 0;
  if (producerId !== before.producerId && !isRetryOfLast) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  const hasMoved = before.clientVersion >= EPOCH_BUMP_VERSION;
  const isRetry = isRetryOfLast || (hasMoved && producerEpoch === before.producerEpoch - 1);
  const isPresent = producerId === before.producerId && producerEpoch === before.producerEpoch;
  if (isPrepared(before)) return isRetry ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.PRODUCER_FENCED;
  const isComplete = state === 'CompleteCommit' || state === 'CompleteAbort';
  if (!isPresent && !(isComplete && isRetry)) return ErrorCode.PRODUCER_FENCED;
  if (state === 'Ongoing') return 'end';
  if (isPresent) return committed ? ErrorCode.INVALID_TXN_STATE : 'end';
  return committed === (state === 'CompleteCommit') ? 'done' : ErrorCode.INVALID_TXN_STATE;
}

function judgeV1(before: Transaction, { producerId, producerEpoch, committed }: EndTxnRequest): Verdict {
  if (producerId !== before.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  if (producerEpoch !== before.producerEpoch) return ErrorCode.PRODUCER_FENCED;
  if (isPrepared(before)) return ErrorCode.CONCURRENT_TRANSACTIONS;
  if (before.state === 'Ongoing') return 'end';
  return before.state === (committed ? 'CompleteCommit' : 'CompleteAbort')
    ? 'done'
    : ErrorCode.INVALID_TXN_STATE;
}

function refuse(turn: Turn, { from, apiVersion }: End, errorCode: number): void {
  turn.reply(from, {
    throttleTimeMs: 0,
    errorCode: fencedCode(errorCode, apiVersion),
    producerId: NO_PRODUCER_ID,
    producerEpoch: NO_EPOCH,
  } satisfies EndTxnResponse);
}

/** With v2 the client goes on under what it is told. */
function answer(turn: Turn, { from }: End, { producerId, producerEpoch }: Transaction): void {
  turn.reply(from, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    producerId,
    producerEpoch,
  } satisfies EndTxnResponse);
}
