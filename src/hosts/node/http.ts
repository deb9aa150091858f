import { type IncomingMessage, createServer, type Server, type ServerResponse } from 'node:http';
import { requestUrl } from './request-url.ts';
import { KAFKA_PATH } from './websocket.ts';

/** What is asked of the broker over HTTP. */
export interface Health {
  /** Undefined when ready, else why not. */
  notReady(): string | undefined;
}

/**
 * `/livez`: the event loop turns. `/readyz`: storage is writable, the metadata shard is up, and nothing is shutting
 * down (503 and the reason otherwise). Kafka over WebSocket is another matter: see `acceptWebSockets`.
 */
export function httpServer(health: Health): Server {
  const options = { shouldUpgradeCallback: wantsWebSocket };
  return createServer(options, (request, response) => {
    const answer = (status: number, text: string) => answerText(request, response, { status, text });
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET and HEAD');
    switch (requestUrl(request).pathname) {
      case '/livez':
        return answer(200, 'ok');
      case '/readyz': {
        const reason = health.notReady();
        return answer(reason === undefined ? 200 : 503, reason ?? 'ok');
      }
      case KAFKA_PATH:
        response.setHeader('upgrade', 'websocket');
        return answer(426, 'Kafka over WebSocket: this wants an upgrade');
      default:
        return answer(404, `not found; this port serves /livez, /readyz and, for WebSockets, ${KAFKA_PATH}`);
    }
  });
}

/** Any other upgrade is not meant for us: the request is answered as if it had not asked for one. */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function answerText(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, text }: { status: number; text: string },
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : `${text}\n`);
}
