import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { BrokerAddress, Transport } from '../../src/ports/transport.ts';

/** What becomes of a chunk on its way, either way. */
export type Fate = 'passes' | 'delayed' | 'cut' | 'half-open';

/** A TCP proxy that holds up, cuts within a frame, or says nothing any more while both ends stay open. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly counts: Record<Fate, number> = { passes: 0, delayed: 0, cut: 0, 'half-open': 0 };

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param fateOf is asked for each chunk. */
  static async to(target: BrokerAddress, fateOf: () => Fate): Promise<FaultyProxy> {
    const server = createServer();
    const proxy = new FaultyProxy(server);
    server.on('connection', (client) => {
      const broker = connect({ ...target, noDelay: true });
      const pair = { isSilent: false };
      for (const socket of [client, broker]) {
        proxy.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          proxy.#sockets.delete(socket);
          client.destroy();
          broker.destroy();
        });
      }
      proxy.#pass(client, broker, pair, fateOf);
      proxy.#pass(broker, client, pair, fateOf);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get address(): BrokerAddress {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Leads all to the proxy, whatever address brokers tell. */
  over(transport: Transport): Transport {
    return { open: (_address, events, signal) => transport.open(this.address, events, signal) };
  }

  /** All connections there are, at once. @returns how many. */
  cutAll(): number {
    const { size } = this.#sockets;
    for (const socket of this.#sockets) socket.destroy();
    return size / 2;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(from: Socket, to: Socket, pair: { isSilent: boolean }, fateOf: () => Fate): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.isSilent) return;
      const fate = fateOf();
      this.counts[fate]++;
      if (fate === 'half-open') {
        pair.isSilent = true;
      } else if (fate === 'cut') {
        pair.isSilent = true;
        to.end(chunk.subarray(0, chunk.length >> 1));
        from.destroy();
      } else if (fate === 'delayed') {
        from.pause();
        setTimeout(() => {
          to.write(chunk);
          from.resume();
        }, 3);
      } else {
        to.write(chunk);
      }
    });
  }
}
