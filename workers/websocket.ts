import { serveWebSocket } from './client-socket.ts';
import { newGateway, secretOf } from './gateways.ts';
import { plain } from './plain.ts';
import { whoAsks } from './who.ts';

export const KAFKA_PATH = '/kafka';
const KAFKA_SUBPROTOCOL = 'milena.kafka.v1';
const HOST_AND_PORT = /^(?<host>\[[\da-f:.]+\]|[\w.-]{1,253}):(?<port>\d{1,5})$/i;

/** Kafka over WebSocket. Whoever shows a bad ticket is turned away here, before any object hears of it. */
export async function acceptClient(request: Request, env: Cloudflare.Env): Promise<Response> {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
    return plain(426, 'Kafka over WebSocket: this wants an upgrade');
  const offered = request.headers.get('sec-websocket-protocol');
  const names = offered?.split(',').map((name) => name.trim());
  if (names !== undefined && !names.includes(KAFKA_SUBPROTOCOL))
    return plain(400, `the one protocol here is ${KAFKA_SUBPROTOCOL}`);
  const address = addressOf(request);
  if (address === undefined) return plain(400, 'advertise takes host:port');
  if (!mayAsk(request, env))
    return plain(403, `pages of ${request.headers.get('origin')} may not use this cluster`);
  const who = await whoAsks(request, env);
  if (who === false) return plain(401, 'this ticket is not good');
  const { 0: theirs, 1: ours } = new WebSocketPair();
  serveWebSocket(ours, await newGateway(env), {
    address,
    clientHost: `/${request.headers.get('cf-connecting-ip') ?? '0.0.0.0'}`,
    known: who,
    wantsLogin: secretOf(env) !== undefined && who === undefined,
  });
  const headers = names === undefined ? {} : { 'sec-websocket-protocol': KAFKA_SUBPROTOCOL };
  return new Response(null, { status: 101, webSocket: theirs, headers });
}

/** What Metadata tells the client to come back to. */
function addressOf(request: Request): { host: string; port: number } | undefined {
  const url = new URL(request.url);
  const advertise = url.searchParams.get('advertise');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (advertise === null) return { host: url.hostname, port };
  const found = HOST_AND_PORT.exec(advertise)?.groups;
  const [host, asked] = [found?.['host'] ?? '', Number(found?.['port'])];
  return asked >= 1 && asked <= 65_535 ? { host: host.replace(/^\[|\]$/g, ''), port: asked } : undefined;
}

/** Programs send no Origin. A page of another may where it is named, or where whoever comes has to show a ticket. */
export function mayAsk(request: Request, env: Cloudflare.Env): boolean {
  const origin = request.headers.get('origin');
  if (origin === null || secretOf(env) !== undefined) return true;
  const allowed = (env.MILENA_ORIGINS ?? '').split(',').map((each) => each.trim());
  return allowed.includes('*') || allowed.includes(origin) || origin === new URL(request.url).origin;
}
