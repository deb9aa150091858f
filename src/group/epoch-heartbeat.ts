import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Leased } from './leases.ts';

/** What the heartbeats of KIP-848 and KIP-932 have in common. */
export interface EpochHeartbeat {
  groupId: string;
  memberId: string;
  /** Below 0: the member leaves. */
  memberEpoch: number;
}

interface Rules {
  /** What the heartbeat is answered. @throws KafkaError */
  decide: () => EpochAnswer;
  /** Undefined where something is about to move the member. */
  leasable: () => Leased | undefined;
}

interface EpochAnswer {
  throttleTimeMs: number;
  errorCode: number;
  errorMessage: string | null;
  memberId: string | null;
  memberEpoch: number;
  heartbeatIntervalMs: number;
}

/** A heartbeat is all a member says: it is decided whole, or refused, and its gateway gets a lease if nothing moves. */
export function decideEpochHeartbeat(
  context: Context,
  turn: Turn,
  asked: Asked<EpochHeartbeat>,
  { decide, leasable }: Rules,
): void {
  const { groupId, memberId, memberEpoch } = asked.body;
  // A lease of before a sleep goes on, where the group still stands still.
  if (asked.isResumed)
    return context.replyOrLease(turn, asked, {
      body: epochAnswer({ memberId, memberEpoch }),
      leased: leasable(),
    });
  try {
    const body = decide();
    context.replyOrLease(turn, asked, { body, leased: memberEpoch < 0 ? undefined : leasable() });
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    turn.reply(asked.from, epochAnswer({ errorCode: error.code, errorMessage: error.message }));
  }
  const group = context.groups.get(groupId);
  if (group !== undefined) context.dropIfBlank(group);
}

/** What is left out is as in an answer that says nothing. */
export function epochAnswer<Said extends Partial<EpochAnswer>>(
  said: Said,
): EpochAnswer & { assignment: null } & Said {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
    ...said,
  };
}
