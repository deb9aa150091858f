import { ErrorCode } from '../model/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponse } from '../wire/apis/22-init-producer-id.ts';
import type { Asked, Context, Turn } from './context.ts';
import { abort } from './end-txn.ts';
import { fencedCode } from './fenced-code.ts';
import { created, initialized, isExhausted, isPrepared, NO_EPOCH, NO_PRODUCER_ID } from './transaction.ts';
import type { Transaction } from './transaction.ts';

type Init = Asked<InitProducerIdRequest>;

/** From this version on a client of InitProducerId knows PRODUCER_FENCED (KIP-588). */
const FENCED_VERSION = 4;

/**
 * A producer begins with a transactional id, and all before it are fenced; an open transaction of theirs is aborted
 * first, and CONCURRENT_TRANSACTIONS says to come again. From v3 on a producer may say which id and epoch it has, to go
 * on after an error: so its retry is told from a zombie (KIP-360).
 */
export function decideInitProducerId(context: Context, turn: Turn, request: Init): void {
  const errorCode = init(context, turn, request);
  if (errorCode === ErrorCode.NONE) return;
  turn.reply(request.from, {
    throttleTimeMs: 0,
    errorCode: fencedCode(errorCode, request.apiVersion, FENCED_VERSION),
    producerId: NO_PRODUCER_ID,
    producerEpoch: NO_EPOCH,
  } satisfies InitProducerIdResponse);
}

/** @returns NONE when it is answered, or waits for a producer id. */
function init(context: Context, turn: Turn, request: Init): number {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request.body;
  if (transactionalId === null || transactionalId === '') return ErrorCode.INVALID_REQUEST;
  if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_EPOCH)) return ErrorCode.INVALID_REQUEST;
  if (timeoutMs <= 0 || timeoutMs > context.config.transactionMaxTimeoutMs) {
    return ErrorCode.INVALID_TRANSACTION_TIMEOUT;
  }
  const at = { timeoutMs, nowMs: turn.nowMs };
  const before = turn.find(transactionalId);
  if (before === undefined) {
    const newId = context.producerIds.take();
    return newId === undefined ? wait(context, turn, request) : begin(turn, request, created(newId, at));
  }
  const errorCode = validate(before, request.body);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (before.state === 'Ongoing') {
    abort(context, turn, transactionalId, before);
    return ErrorCode.CONCURRENT_TRANSACTIONS;
  }
  const isKnown = producerId !== NO_PRODUCER_ID;
  if (isKnown && producerEpoch !== before.producerEpoch) {
    // Its answer was lost: nobody else can have begun since, for that forgets the last epoch.
    const { previousProducerId } = before;
    return begin(turn, request, { ...initialized(before, before, at), previousProducerId });
  }
  const lastProducerEpoch = isKnown ? before.producerEpoch : NO_EPOCH;
  if (!isExhausted(before.producerEpoch)) {
    const next = {
      producerId: before.producerId,
      producerEpoch: before.producerEpoch + 1,
      lastProducerEpoch,
    };
    return begin(turn, request, initialized(before, next, at));
  }
  const newId = context.producerIds.take();
  if (newId === undefined) return wait(context, turn, request);
  const producer = { producerId: newId, producerEpoch: 0, lastProducerEpoch };
  return begin(turn, request, initialized(before, producer, at));
}

/**
 * Whether a producer that says who it is may go on: it is the present one, or was so one answer ago. While a
 * transaction is open that is the present epoch alone, so that a zombie ends nothing that is not its own.
 */
function validate(before: Transaction, { producerId, producerEpoch }: InitProducerIdRequest): number {
  const isKnown = producerId !== NO_PRODUCER_ID;
  const isItsId =
    producerId === before.producerId ||
    (producerId === before.previousProducerId && isExhausted(producerEpoch));
  if (isKnown && !isItsId) return ErrorCode.PRODUCER_FENCED;
  if (isPrepared(before)) return ErrorCode.CONCURRENT_TRANSACTIONS;
  const isItsEpoch =
    producerEpoch === before.producerEpoch ||
    (before.state !== 'Ongoing' && producerEpoch === before.lastProducerEpoch);
  return isKnown && !isItsEpoch ? ErrorCode.PRODUCER_FENCED : ErrorCode.NONE;
}

function wait(context: Context, turn: Turn, request: Init): number {
  turn.asks.push(...context.producerIds.queue(request));
  return ErrorCode.NONE;
}

function begin(turn: Turn, { from, body }: Init, transaction: Transaction): number {
  turn.write(body.transactionalId as string, transaction);
  const { producerId, producerEpoch } = transaction;
  turn.reply(from, {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    producerId,
    producerEpoch,
  } satisfies InitProducerIdResponse);
  return ErrorCode.NONE;
}
