import type { Context, Turn } from './context.ts';
import { abort } from './end-txn.ts';
import type { Transaction } from './transaction.ts';

/** Aborts what has been open longer than its timeout. What does not fit one batch of records is due at once. */
export function abortTimedOut(context: Context, turn: Turn): void {
  const nowMs = context.time.steady(turn.nowMs);
  if (context.timeoutAtMs > nowMs) return;
  context.timeoutAtMs = Infinity;
  for (const [transactionalId, dueAtMs] of context.open) {
    const transaction = turn.find(transactionalId);
    if (transaction?.state !== 'Ongoing') continue;
    if (dueAtMs > nowMs || turn.isFull) context.checkTimeoutAt(dueAtMs, turn.nowMs);
    else abort(context, turn, transactionalId, transaction);
  }
}

/** Writes tombstones for ids in no transaction that nobody has used for transactional.id.expiration.ms. */
export function expireIds(context: Context, turn: Turn): void {
  if (context.expiryAtMs > turn.nowMs) return;
  const { transactionalIdExpirationMs, transactionRemoveExpiredTransactionCleanupIntervalMs } =
    context.config;
  // Of a clock that was set, either way, what makes an id stay longer.
  const nowMs = Math.min(turn.nowMs, context.time.steady(turn.nowMs));
  let nextMs = Infinity;
  for (const [transactionalId, transaction] of context.transactions) {
    const expiresAtMs = transaction.updatedAtMs + transactionalIdExpirationMs;
    if (expiresAtMs > nowMs || turn.isFull || !mayExpire(transaction)) nextMs = Math.min(nextMs, expiresAtMs);
    else turn.write(transactionalId, null);
  }
  const earliestMs = turn.nowMs + transactionRemoveExpiredTransactionCleanupIntervalMs;
  context.expiryAtMs = nextMs === Infinity ? Infinity : Math.max(nextMs, earliestMs);
}

function mayExpire({ state }: Transaction): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';
}
