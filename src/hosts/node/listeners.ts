import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import type { Listening } from '../../broker/specs.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { EndpointImage } from '../../metadata/image.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type Door, doorOf, SECURITY_PROTOCOLS, type SecurityProtocol } from './security/doors.ts';
import { acceptKafka, kafkaServer } from './tcp.ts';

/** Where and how Kafka is spoken. */
export interface ListenerOptions {
  /** `INTERNAL`: what listener.security.protocol.map gives a protocol. */
  name: string;
  protocol: SecurityProtocol;
  /** Empty listens on all interfaces. */
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** What its clients are told to come back to; undefined: where they came in. */
  advertised?: Listening | undefined;
}

/** A listener that listens. */
export interface Listener extends Listening {
  name: string;
  protocol: SecurityProtocol;
}

/** All Kafka listeners of a node. */
export class Listeners {
  readonly #all: readonly { options: ListenerOptions; door: Door; server: TcpServer }[];
  readonly opened: Listener[] = [];
  /** Where brokers would meet, beside others: there is always room for who comes that way. */
  readonly #protected: string | undefined;

  /** @throws Error for people, where the settings of TLS do not do. */
  constructor(listeners: readonly ListenerOptions[], settings: ReadonlyMap<string, string>) {
    this.#all = listeners.map((options) => {
      const door = doorOf(options.protocol, settings);
      return { options, door, server: kafkaServer(door) };
    });
    const isPlain = ({ protocol }: ListenerOptions) => protocol === 'PLAINTEXT';
    const name = settings.get('inter.broker.listener.name') || listeners.find(isPlain)?.name;
    if (listeners.length > 1) this.#protected = name;
  }

  /** From now on clients can connect, and are turned away. */
  async open(): Promise<void> {
    for (const { options, server } of this.#all) {
      const { name, protocol, host, port } = options;
      this.opened.push({ name, protocol, ...(await listen(server, host, port)) });
    }
  }

  /** From now on they are clients of the gateway. */
  accept(gateway: Gateway, buffers: ReadBuffers): void {
    for (const { options, door, server } of this.#all) {
      const isProtected = options.name === this.#protected;
      acceptKafka(server, { gateway, buffers, door, isProtected, advertised: options.advertised });
    }
  }

  /** As the broker's registration names them. */
  get endpoints(): EndpointImage[] {
    return this.opened.map(({ name, protocol, host, port }, at) => ({
      name,
      ...(this.#all[at]?.options.advertised ?? { host, port }),
      securityProtocol: SECURITY_PROTOCOLS.indexOf(protocol),
    }));
  }

  /** listeners, with the ports that were picked. */
  get text(): string {
    return this.opened.map(({ name, host, port }) => `${name}://${host}:${port}`).join(',');
  }

  close(): void {
    for (const { server } of this.#all) server.close();
  }
}

export function listen(server: TcpServer | HttpServer, host: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      resolve({ host: address.address, port: address.port });
    });
  });
}
