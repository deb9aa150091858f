import { serveTcp } from './client-tcp.ts';
import { answerHttp } from './http.ts';
import { newGateway, secretOf } from './gateways.ts';
import { acceptClient, KAFKA_PATH } from './websocket.ts';

export { ShardObject } from './shard-object.ts';

/** The Worker of the Cloudflare home: gateways to shards that are objects. */
export default {
  async fetch(request: Request, env: Cloudflare.Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    return pathname === KAFKA_PATH ? acceptClient(request, env) : answerHttp(request, env);
  },

  /** A TCP connection, where this has a listener for them. */
  async connect(socket: Socket, env: Cloudflare.Env): Promise<void> {
    const { localAddress = '', remoteAddress = '' } = await socket.opened;
    const colon = localAddress.lastIndexOf(':');
    await serveTcp(socket, await newGateway(env), {
      address: { host: localAddress.slice(0, colon), port: Number(localAddress.slice(colon + 1)) },
      clientHost: `/${remoteAddress.slice(0, remoteAddress.lastIndexOf(':'))}`,
      known: undefined,
      wantsLogin: secretOf(env) !== undefined,
    });
  },
};
