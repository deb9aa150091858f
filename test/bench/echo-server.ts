// Sends back what comes, as it comes: what a socket to another process takes by itself. Tells its port in a line.
import { type AddressInfo, createServer } from 'node:net';

const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
