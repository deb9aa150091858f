import type { Kernels } from '../kernels/kernels.ts';
import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Codecs } from '../records/codecs.ts';
import type { WebCrypto } from '../sasl/web-crypto.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerEngine } from './consumer/consumer-engine.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import type { Latest } from './latest.ts';
import type { OnDemand } from './on-demand.ts';
import type { ProducerEngine } from './producer/producer-engine.ts';
import type { ClientTracing } from './tracing/client-tracing.ts';

/** What engines need of their client. */
export interface EngineParts {
  cluster: Cluster;
  clock: Clock;
  random: Random;
  kernels: Kernels;
  codecs: Codecs;
  /** How long what fails is tried again. */
  retryForMs: Millis;
  /** The platform's `crypto`, for passwords. */
  webCrypto?: WebCrypto | undefined;
  tracing?: ClientTracing | undefined;
}

/** What does the work of those that read and write: the larger part of the client. A page loads what it uses. */
export interface Engines {
  readonly producer: OnDemand<typeof ProducerEngine>;
  readonly fetcher: OnDemand<typeof Fetcher>;
  readonly consumer: OnDemand<typeof ConsumerEngine>;
  readonly latest: OnDemand<typeof Latest>;
}

/** What those that read and write need of their client. */
export interface ClientParts extends EngineParts {
  engines: Engines;
}
