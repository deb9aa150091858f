import { once } from 'node:events';
import { createServer } from 'node:net';

const EPHEMERAL_PORT_MIN = 32_768;
const REGISTERED_PORT_MIN = 10_000;

/**
 * A port nobody listens on, below those the system hands out to clients: a client that dials a dead broker again and
 * again would sooner or later be given that very port, connect to itself, and keep the broker from coming back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = REGISTERED_PORT_MIN + Math.floor(Math.random() * (EPHEMERAL_PORT_MIN - REGISTERED_PORT_MIN));
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
