import type { Client } from '../../client/client.ts';
import { type ConnectOptions, connectWith } from '../../client/connect.ts';
import { webSocketTransport } from '../../client/transports/web-socket.ts';
import { loadKernels } from '../../kernels/load.ts';
import { clientClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { nodeRandom } from './random.ts';
import { tcpTransport } from './tcp-transport.ts';

const webSocket = (url: string) => webSocketTransport(url, clientClock);

/** `connectWith`, in Node: `kafka://` is TCP, `ws://` and `wss://` the global WebSocket (Node 22 and later). */
export async function connect(url: string, options?: ConnectOptions): Promise<Client> {
  const kernels = await loadKernels();
  const home = { clock: clientClock, random: nodeRandom, kernels, codecs: nodeCodecs(kernels) };
  const transports = { kafka: () => tcpTransport, ws: webSocket, wss: webSocket };
  return connectWith({ ...home, transports }, url, options);
}
