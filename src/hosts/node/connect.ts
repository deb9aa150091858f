import type { Client } from '../../client/client.ts';
import {
  type ConnectOptions,
  connectWith,
  type Surroundings,
  type TlsOptions,
} from '../../client/connect.ts';
import { invalidArgument } from '../../client/errors.ts';
import type { ServiceBinding } from '../../client/transports/service-binding.ts';
import { webSocketTransport } from '../../client/transports/web-socket.ts';
import { loadKernels } from '../../kernels/load.ts';
import type { WebCrypto } from '../../sasl/web-crypto.ts';
import type { Transport } from '../../ports/transport.ts';
import { clientClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { nodeDiagnostics } from './diagnostics.ts';
import { nodeEngines } from './engines.ts';
import { nodeRandom } from './random.ts';
import { tracingOfProcess } from './tracing.ts';
import { tcpTransport, tlsTransport } from './tcp-transport.ts';

const webSocket = (url: string) => webSocketTransport(url, clientClock);
const TRANSPORTS = {
  kafka: () => tcpTransport,
  kafkas: (_url: string, tls: TlsOptions | undefined) => tlsTransport(tls),
  ws: webSocket,
  wss: webSocket,
};

/** @internal What a client needs of Node. */
export async function nodeSurroundings(): Promise<Surroundings> {
  const kernels = await loadKernels();
  return {
    clock: clientClock,
    random: nodeRandom,
    kernels,
    codecs: nodeCodecs(kernels),
    webCrypto: globalThis.crypto as unknown as WebCrypto,
    engines: nodeEngines,
    diagnostics: nodeDiagnostics,
    transports: TRANSPORTS,
  };
}

/**
 * Connects to a cluster, of Milena or of Apache Kafka.
 * @param to where to ask first: `kafka://localhost:9092`, several as `kafka://a:9092,b:9092`; `kafkas://` for TLS; in
 *   pages and Workers, and here with Node 22 and later, `wss://log.example.dev/kafka`; or a transport that leads to
 *   one place; in a Worker also the binding of one that serves Kafka, such as `env.MILENA`.
 * @throws MilenaError INVALID_ARGUMENT; ConnectionLost when nobody answers within `connectForMs`; what the signal says.
 */
export async function connect(
  to: string | Transport | ServiceBinding,
  options: ConnectOptions = {},
): Promise<Client> {
  if (typeof to === 'object' && 'fetch' in to) throw invalidArgument('a service binding is of Workers alone');
  const { tracing = await tracingOfProcess() } = options;
  return connectWith(await nodeSurroundings(), to, { ...options, ...(tracing !== undefined && { tracing }) });
}
