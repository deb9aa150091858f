import type { Client } from '../../client/client.ts';
import {
  type ConnectOptions,
  connectWith,
  type Surroundings,
  type TlsOptions,
} from '../../client/connect.ts';
import { webSocketTransport } from '../../client/transports/web-socket.ts';
import { loadKernels } from '../../kernels/load.ts';
import type { Transport } from '../../ports/transport.ts';
import { clientClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { nodeDiagnostics } from './diagnostics.ts';
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
    diagnostics: nodeDiagnostics,
    transports: TRANSPORTS,
  };
}

/**
 * `connectWith`, in Node: `kafka://` is TCP, `kafkas://` TLS, `ws://` and `wss://` the global WebSocket (Node 22 and
 * later). Without `tracing` in the options it is OpenTelemetry's, where this process has set that up.
 */
export async function connect(to: string | Transport, options: ConnectOptions = {}): Promise<Client> {
  const { tracing = await tracingOfProcess() } = options;
  return connectWith(await nodeSurroundings(), to, { ...options, ...(tracing !== undefined && { tracing }) });
}
