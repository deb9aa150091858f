import { loadKernels } from '../src/kernels/load.ts';

export { ShardObject } from './shard-object.ts';

const CHECK = new TextEncoder().encode('123456789');
const CHECK_CRC = 0xe3069283;

/** The Worker of the Cloudflare home. So far it proves the kernels run there; the log itself is not deployed yet. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/livez') {
      const alive = (await loadKernels()).crc32c(CHECK) === CHECK_CRC;
      return new Response(alive ? 'ok\n' : 'kernels failed their check\n', { status: alive ? 200 : 500 });
    }
    return new Response(
      'The Cloudflare home of Milena does not serve Kafka yet; run `milena dev` on Node.\n',
      {
        status: 501,
      },
    );
  },
};
