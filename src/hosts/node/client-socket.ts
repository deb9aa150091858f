import type { Socket } from 'node:net';

/** Bytes queued for a client that does not read, beyond which its requests are not read either. */
export const WRITE_HIGH_WATER_BYTES = 256 * 1024;

/** How long a closed connection may take to read its last answers. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** An IPv4 client of an IPv6 socket is told IPv4. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** Where the client reached this machine. */
export function localAddress(socket: Socket): { host: string; port: number } {
  return { host: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
}

/** Kafka's form of the client's address: `/127.0.0.1`. */
export function clientHost(socket: Socket): string {
  return `/${plainAddress(socket.remoteAddress)}`;
}

/** All that is written in one turn of the event loop leaves in one system call. */
export class TurnCork {
  readonly #socket: Socket;
  #corked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Before each write. */
  hold(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }
}
