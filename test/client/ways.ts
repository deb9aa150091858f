import { MessageChannel } from 'node:worker_threads';
import { inProcessTransport } from '../../src/broker/in-process.ts';
import { acceptPort } from '../../src/broker/message-port.ts';
import type { Client } from '../../src/client/client.ts';
import type { ConnectOptions } from '../../src/client/connect.ts';
import { messagePortTransport } from '../../src/client/transports/message-port.ts';
import type { Broker } from '../../src/hosts/node/broker.ts';
import { connect } from '../../src/hosts/node/connect.ts';

/** All ways to a broker of this process. */
export const WAYS: Readonly<Record<string, (broker: Broker, options?: ConnectOptions) => Promise<Client>>> = {
  TCP: ({ kafka }, options) => connect(`kafka://${kafka.host}:${kafka.port}`, options),
  WebSocket: ({ http }, options) => connect(`ws://${http?.host}:${http?.port}/kafka`, options),
  MessagePort: ({ gateway, kafka }, options) => {
    const transport = messagePortTransport(() => {
      const { port1, port2 } = new MessageChannel();
      acceptPort(gateway, port2, kafka);
      return port1;
    });
    return connect('port://here:1', { ...options, transport });
  },
  'in process': ({ gateway, kafka }, options) =>
    connect('memory://here:1', { ...options, transport: inProcessTransport(gateway, kafka) }),
};
