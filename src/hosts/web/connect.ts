import type { Client } from '../../client/client.ts';
import { type ConnectOptions, connectWith } from '../../client/connect.ts';
import type { ServiceBinding } from '../../client/transports/service-binding.ts';
import { webSocketTransport } from '../../client/transports/web-socket.ts';
import { loadKernels } from '../../kernels/load.ts';
import type { WebCrypto } from '../../sasl/web-crypto.ts';
import type { Transport } from '../../ports/transport.ts';
import { bindingTransport } from './binding.ts';
import { webClock } from './clock.ts';
import { webCodecs } from './codecs.ts';
import { prefetchEngines, webEngines } from './engines.ts';
import { webRandom } from './random.ts';
import { webWakes } from './wakes.ts';

const webSocket = (url: string) => webSocketTransport(url, webClock);

/**
 * `connectWith`, in Workers and pages, which have no TCP: `ws://` and `wss://`, a transport, or in a Worker the binding
 * of one that serves Kafka.
 */
export async function connect(
  to: string | Transport | ServiceBinding,
  options?: ConnectOptions,
): Promise<Client> {
  const loading = loadKernels();
  // A network comes and goes; what a Worker of Cloudflare's loads lies beside it.
  if ('onLine' in navigator) prefetchEngines();
  const kernels = await loading;
  const webCrypto = globalThis.crypto as unknown as WebCrypto;
  const home = {
    webCrypto,
    clock: webClock,
    random: webRandom,
    kernels,
    codecs: webCodecs(kernels),
    engines: webEngines,
    wakes: webWakes,
  };
  const way = typeof to === 'object' && 'fetch' in to ? bindingTransport(to, webClock) : to;
  return connectWith({ ...home, transports: { ws: webSocket, wss: webSocket } }, way, options);
}
