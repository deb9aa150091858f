import type { Gateway } from '../gateway/gateway.ts';
import type { BrokerAddress } from '../ports/transport.ts';
import { type PortLike, PortPipe } from '../wire/port-pipe.ts';

/**
 * Makes of a MessagePort a connection of the gateway; its other end is a client's (`messagePortTransport`).
 * @param address what Metadata says the broker's address is.
 */
export function acceptPort(gateway: Gateway, port: PortLike, address: BrokerAddress): void {
  const pipe = new PortPipe(port, {
    received: (chunk) => connection.receive(chunk),
    drained: () => connection.drained(),
    closed: () => connection.ended(),
  });
  const connection = gateway.connect({
    address,
    clientHost: '/message-port',
    readsInPlace: false,
    write: (chunks) => pipe.send(chunks),
    pause: () => pipe.pause(),
    resume: () => pipe.resume(),
    close: (reason) => pipe.close(`the broker closed the connection: ${reason}`),
  });
}
