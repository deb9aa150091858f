import type { Authenticated } from '../src/hosts/durable-object/tickets.ts';
import { secretOf } from './gateways.ts';

/** Who asks: nobody has to say where there is no secret; `false` says something that is not so. */
export async function whoAsks(
  request: Request,
  env: Cloudflare.Env,
): Promise<Authenticated | undefined | false> {
  const tickets = secretOf(env);
  const ticket = ticketIn(request);
  if (tickets === undefined || ticket === undefined) return undefined;
  return tickets.verify(ticket).catch(() => false as const);
}

/** In the address, since pages can set no header of a WebSocket or a beacon; else as a bearer's. */
function ticketIn(request: Request): string | undefined {
  const inQuery = new URL(request.url).searchParams.get('ticket');
  const bearer = /^bearer +(?<token>\S+)$/i.exec(request.headers.get('authorization') ?? '');
  return inQuery ?? bearer?.groups?.['token'];
}
