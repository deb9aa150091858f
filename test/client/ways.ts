import { MessageChannel } from 'node:worker_threads';
import { inProcessTransport } from '../../src/broker/in-process.ts';
import { acceptPort } from '../../src/broker/message-port.ts';
import type { Client } from '../../src/client/client.ts';
import { type ConnectOptions, connectWith } from '../../src/client/connect.ts';
import { messagePortTransport } from '../../src/client/transports/message-port.ts';
import { webSocketTransport } from '../../src/client/transports/web-socket.ts';
import type { Broker } from '../../src/hosts/node/broker.ts';
import { clientClock } from '../../src/hosts/node/clock.ts';
import { connect, nodeSurroundings } from '../../src/hosts/node/connect.ts';
import { tcpTransport } from '../../src/hosts/node/tcp-transport.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { lateEngines } from './late-engines.ts';

/** To a broker that is another one each time it has come back, and elsewhere. */
export const TRANSPORTS = {
  TCP: (broker: () => Broker): Transport => ({
    open: async (_address, events, signal) => tcpTransport.open(broker().kafka, events, signal),
  }),
  WebSocket: (broker: () => Broker): Transport => ({
    async open(_address, events, signal) {
      const { http, kafka } = broker();
      const transport = webSocketTransport(webSocketUrl(broker()), clientClock);
      return transport.open(http ?? kafka, events, signal);
    },
  }),
  MessagePort: (broker: () => Broker) =>
    messagePortTransport(() => {
      const { gateway, kafka } = broker();
      const { port1, port2 } = new MessageChannel();
      acceptPort(gateway, port2, kafka);
      return port1;
    }),
  'in process': (broker: () => Broker): Transport => ({
    open: async (address, events, signal) =>
      inProcessTransport(broker().gateway, broker().kafka).open(address, events, signal),
  }),
};

/** All ways to a broker of this process. */
export const WAYS: Readonly<Record<string, (broker: Broker, options?: ConnectOptions) => Promise<Client>>> = {
  TCP: ({ kafka }, options) => connect(`kafka://${kafka.host}:${kafka.port}`, options),
  WebSocket: (broker, options) => connect(webSocketUrl(broker), options),
  // As a page has it: what does the work is loaded when it is asked for.
  MessagePort: async (broker, options) =>
    connectWith({ ...(await nodeSurroundings()), engines: lateEngines() }, 'port://here:1', {
      ...options,
      transport: TRANSPORTS.MessagePort(() => broker),
    }),
  'in process': (broker, options) =>
    connect('memory://here:1', { ...options, transport: TRANSPORTS['in process'](() => broker) }),
};

function webSocketUrl({ http }: Broker): string {
  return `ws://${http?.host}:${http?.port}/kafka`;
}
