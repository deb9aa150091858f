import { ErrorCode, errorInfo } from '../../model/errors.ts';

/**
 * What an answer means for a batch. `stored`: it is in the log. `again`: send the same. `anew`: it is not in the log
 * and its number can never be: give it, and all behind it, new numbers. `smaller`: part it. `refused`: for good.
 */
export type Verdict = 'stored' | 'again' | 'anew' | 'smaller' | 'refused';

const TOO_LARGE: ReadonlySet<number> = new Set([
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
]);
const WRONG_NUMBER: ReadonlySet<number> = new Set([
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
]);

export interface Situation {
  isIdempotent: boolean;
  /** Its number cannot be changed: what is missing before it, the transaction lacks. */
  isTransactional: boolean;
  /** Nothing older of its partition is without an answer. */
  isOldest: boolean;
  /** It has got a new number before, for the same reason. */
  isRenumbered: boolean;
}

export function verdictOn(errorCode: number, situation: Situation): Verdict {
  const { isIdempotent, isTransactional, isOldest, isRenumbered } = situation;
  if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return 'stored';
  if (TOO_LARGE.has(errorCode)) return 'smaller';
  if (isIdempotent && WRONG_NUMBER.has(errorCode)) {
    // What came before it is not there yet; or never will be, having been refused or given up.
    if (!isOldest) return 'again';
    return isRenumbered || isTransactional ? 'refused' : 'anew';
  }
  return errorInfo(errorCode).retriable ? 'again' : 'refused';
}
