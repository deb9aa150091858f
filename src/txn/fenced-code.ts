import { ErrorCode } from '../model/errors.ts';

/** From this version on clients of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn know PRODUCER_FENCED (KIP-588). */
const FENCED_VERSION = 2;

/** Older ones are told INVALID_PRODUCER_EPOCH. */
export function fencedCode(errorCode: number, apiVersion: number, knownFrom = FENCED_VERSION): number {
  const isUnknown = errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < knownFrom;
  return isUnknown ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode;
}
