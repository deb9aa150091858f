import type { Kernels } from '../kernels/kernels.ts';
import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Codecs } from '../records/codecs.ts';
import type { WebCrypto } from '../sasl/web-crypto.ts';
import type { Cluster } from './cluster.ts';
import type { ClientTracing } from './tracing/client-tracing.ts';

/** What those that read and write need of their client. */
export interface ClientParts {
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
