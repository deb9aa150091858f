import { ErrorCode } from '../../model/errors.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';
import { partitionCounts } from '../group/leader.ts';
import { retrying, type RetryOptions } from '../retry.ts';

/** Which topics a consumer wants: some by name, or all whose names match. */
export type Subscription = { readonly names: readonly string[] } | { readonly pattern: RegExp };

/**
 * Names of what is wanted and there, in order. Topics that are named have to be there, or come while it is asked again;
 * Kafka's own match no pattern.
 * @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION; what else brokers say.
 */
export function subscribedTopics(
  subscription: Subscription,
  cluster: Cluster,
  options: RetryOptions,
): Promise<string[]> {
  const { signal } = options;
  return retrying(
    () =>
      'names' in subscription
        ? namedTopics(subscription.names, cluster, signal)
        : matchingTopics(subscription.pattern, cluster, signal),
    options,
  );
}

async function namedTopics(
  names: readonly string[],
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<string[]> {
  const counts = await partitionCounts(cluster, names, signal);
  const missing = names.find((name) => !counts.has(name));
  if (missing !== undefined) throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, missing);
  return [...names].sort();
}

async function matchingTopics(pattern: RegExp, cluster: Cluster, signal?: AbortSignal): Promise<string[]> {
  const { topics } = await cluster.metadata(null, signal);
  // Without what makes it remember where it was.
  const wanted = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
  return topics
    .flatMap(({ name, errorCode, isInternal }) =>
      name !== null && errorCode === ErrorCode.NONE && !isInternal && wanted.test(name) ? [name] : [],
    )
    .sort();
}
