import type { Millis } from '../model/ids.ts';
import type { QuotaClient, QuotaName } from '../quota/entity.ts';
import { produceApi } from '../wire/apis/00-produce.ts';
import type { Call } from './call.ts';

/** Without the type of its principal, as Kafka's quotas name users. */
export function quotaClient({ principal, clientId }: { principal: string; clientId: string }): QuotaClient {
  return { user: principal.slice(principal.indexOf(':') + 1), clientId };
}

/**
 * What a call comes to by its client's quotas, now that its answer is known: how long the client has to wait. Asked
 * only where there are quotas.
 */
export function throttleOf(call: Call): Millis {
  const { quotas, clock } = call.gateway;
  const client = quotaClient(call.caller);
  const now = clock.now();
  let longest: Millis = call.throttleMs;
  let cause: QuotaName = 'controller_mutation_rate';
  const count = (
    name: 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage',
    amount: number,
  ) => {
    const throttleMs = quotas.record(name, client, amount, now);
    if (throttleMs <= longest) return;
    longest = throttleMs;
    cause = name;
  };
  if (call.handler.api === produceApi) count('producer_byte_rate', call.sizeBytes);
  // Fetch, and those of share groups.
  if (call.handler.readsRecords === true) count('consumer_byte_rate', call.answerBytes);
  // Per cent of a second.
  if (quotas.timesRequests) count('request_percentage', call.takeWorkMs() / 10);
  if (longest > 0) quotas.heldUp(cause, longest);
  return longest;
}

/** What was done for a call after its answer was known counts, too, for the next. */
export function countRest(call: Call): void {
  const { quotas, clock } = call.gateway;
  quotas.record('request_percentage', quotaClient(call.caller), call.takeWorkMs() / 10, clock.now());
}
