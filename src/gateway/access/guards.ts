import type { Call } from '../call.ts';
import type { Access } from './access.ts';
import { CLUSTER_GUARDS } from './cluster.ts';
import { CONSUMER_GROUP_GUARDS } from './consumer-groups.ts';
import { GROUP_GUARDS } from './groups.ts';
import type { Guard } from './guard.ts';
import { PRODUCER_GUARDS } from './producers.ts';
import { SHARE_GUARDS } from './shares.ts';
import { TOPIC_GUARDS } from './topics.ts';
import { TRANSACTION_GUARDS } from './transactions.ts';

/** One for each API that is served; `test/gateway/access.test.ts` holds that. */
export const GUARDS: ReadonlyMap<number, Guard> = new Map(
  [
    ...TOPIC_GUARDS,
    ...GROUP_GUARDS,
    ...CONSUMER_GROUP_GUARDS,
    ...CLUSTER_GUARDS,
    ...PRODUCER_GUARDS,
    ...SHARE_GUARDS,
    ...TRANSACTION_GUARDS,
  ].map((guard) => [guard.api.key, guard]),
);

/** Handles of a request what its caller may; without a guard nothing may be asked. */
export function handleGuarded(call: Call, request: unknown, access: Access): void {
  const guard = GUARDS.get(call.handler.api.key);
  if (guard === undefined) return call.close('unsupported');
  const left = guard.check({ call, request: request as never, access });
  if (left !== undefined) call.handler.handle(call, left);
}
