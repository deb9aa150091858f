import type { Engines } from '../../client/client-parts.ts';
import { ConsumerEngine } from '../../client/consumer/consumer-engine.ts';
import { Fetcher } from '../../client/fetch/fetcher.ts';
import { Latest } from '../../client/latest.ts';
import { ProducerEngine } from '../../client/producer/producer-engine.ts';

/** Here from the start: a process reads all its scripts in a few milliseconds. */
export const nodeEngines: Engines = {
  producer: () => ProducerEngine,
  fetcher: () => Fetcher,
  consumer: () => ConsumerEngine,
  latest: () => Latest,
};
