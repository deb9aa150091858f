import { unreachable } from '../model/assert.ts';
import { completeJoinIfAll, expireJoin, expireSession, expireSync } from './classic.ts';
import { expireConsumer } from './consumer-members.ts';
import type { Context, Due, Turn } from './context.ts';
import { expireShareMember } from './share-heartbeat.ts';

/** What a deadline that has passed does. */
export function expire(context: Context, turn: Turn, due: Due): void {
  switch (due.type) {
    case 'session':
      return expireSession(context, turn, due.group, due.member);
    case 'pending':
      context.removePending(due.group, due.memberId);
      completeJoinIfAll(context, turn, due.group);
      return context.dropIfBlank(due.group);
    case 'join':
      return expireJoin(context, turn, due.group);
    case 'sync':
      return expireSync(context, turn, due.group);
    case 'consumerSession':
    case 'consumerRebalance':
      return expireConsumer(context, turn, due.group, due.memberId);
    case 'shareSession':
      return expireShareMember(context, turn, due.group, due.memberId);
    default:
      return unreachable(due);
  }
}
