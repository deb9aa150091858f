import type { ServiceBinding } from '../../client/transports/service-binding.ts';
import { webSocketStream } from '../../client/transports/web-socket.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transport } from '../../ports/transport.ts';
import { KAFKA_SUBPROTOCOL } from '../../wire/web-socket.ts';

/** Where the Worker of the Cloudflare home serves it; the host is nobody's. */
const URL = 'http://milena/kafka';

/** What workerd adds to an answer, and to a WebSocket. */
interface Upgraded {
  status: number;
  webSocket?: (WebSocket & { accept(): void }) | null;
}

/** Through a binding: no name is looked up, and nothing leaves the machine. */
export function bindingTransport(binding: ServiceBinding, clock: Clock): Transport {
  return {
    async open(_address, events, signal) {
      signal?.throwIfAborted();
      const headers = { upgrade: 'websocket', 'sec-websocket-protocol': KAFKA_SUBPROTOCOL };
      const { status, webSocket } = (await binding.fetch(URL, { headers })) as Upgraded;
      if (!webSocket) throw new Error(`the binding serves no Kafka: it answers ${status}`);
      const stream = webSocketStream(webSocket, { events, clock });
      webSocket.accept();
      if (signal?.aborted) {
        stream.close();
        throw signal.reason as Error;
      }
      return stream;
    },
  };
}
