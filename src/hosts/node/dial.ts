import { connect } from 'node:net';
import { ConnectionLost, type Dial } from '../../client/exchange.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Kafka over TCP. */
export const dialTcp: Dial = ({ host, port }, { received, closed }) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    let why = 'the broker closed the connection';
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', received);
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      reject(new ConnectionLost(`${host}:${port}: ${why}`));
      closed(`${host}:${port}: ${why}`);
    });
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve({ write: (bytes) => void socket.write(bytes), close: () => socket.destroy() });
    });
  });
