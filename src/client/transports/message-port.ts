import type { Transport } from '../../ports/transport.ts';
import { type PortLike, PortPipe } from '../../wire/port-pipe.ts';

/**
 * Kafka over MessagePorts, to a broker in another thread of this machine.
 * @param newPort gives a port whose other end a broker was handed (`acceptPort`): one for each connection.
 */
export function messagePortTransport(
  newPort: (signal?: AbortSignal) => PortLike | Promise<PortLike>,
): Transport {
  return {
    async open(_address, events, signal) {
      signal?.throwIfAborted();
      const port = await newPort(signal);
      if (signal?.aborted) {
        port.close();
        signal.throwIfAborted();
      }
      const pipe = new PortPipe(port, events);
      return { write: (bytes) => pipe.send([bytes]), close: () => pipe.close('the client has gone') };
    },
  };
}
