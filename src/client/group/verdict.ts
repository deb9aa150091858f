import { ErrorCode } from '../../model/errors.ts';
import { BrokerError, ConnectionLost, mayRetry } from '../errors.ts';

/**
 * What a failure means for a member. `again`: a while later. `elsewhere`: likewise, but ask who coordinates the group
 * now. `rejoin`: the group rebalances. `lost`: it has gone on without this member, what it held is others' now.
 * `unknown`: likewise, and the member needs a new id. `refused`: for good.
 */
export type GroupVerdict = 'again' | 'elsewhere' | 'rejoin' | 'lost' | 'unknown' | 'refused';

const BY_CODE: ReadonlyMap<number, GroupVerdict> = new Map([
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, 'elsewhere'],
  [ErrorCode.NOT_COORDINATOR, 'elsewhere'],
  [ErrorCode.REBALANCE_IN_PROGRESS, 'rejoin'],
  [ErrorCode.ILLEGAL_GENERATION, 'lost'],
  [ErrorCode.UNKNOWN_MEMBER_ID, 'unknown'],
  [ErrorCode.FENCED_MEMBER_EPOCH, 'lost'],
  [ErrorCode.STALE_MEMBER_EPOCH, 'rejoin'],
  [ErrorCode.UNRELEASED_INSTANCE_ID, 'again'],
]);

export function verdictOn(error: unknown): GroupVerdict {
  if (error instanceof ConnectionLost) return 'elsewhere';
  const known = error instanceof BrokerError ? BY_CODE.get(error.errorCode) : undefined;
  return known ?? (mayRetry(error) ? 'again' : 'refused');
}
