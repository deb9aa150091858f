import type { Engines } from '../../client/client-parts.ts';
import { onDemand, prefetch } from '../../client/on-demand.ts';

/** Each is fetched when it is first wanted, or before. */
export const webEngines: Engines = {
  producer: onDemand(
    'the producer',
    async () => (await import('../../client/producer/producer-engine.ts')).ProducerEngine,
  ),
  fetcher: onDemand('the reader', async () => (await import('../../client/fetch/fetcher.ts')).Fetcher),
  consumer: onDemand(
    'the consumer',
    async () => (await import('../../client/consumer/consumer-engine.ts')).ConsumerEngine,
  ),
  latest: onDemand('latest', async () => (await import('../../client/latest.ts')).Latest),
};

/**
 * Begins to fetch them all while there is a network: later it may be gone, and browsers remember what they could not
 * fetch. Nobody waits for it.
 */
export function prefetchEngines(): void {
  for (const engine of Object.values(webEngines)) prefetch(engine);
}
