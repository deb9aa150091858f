import {
  type IncomingMessage,
  createServer,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { EXPOSITION_TYPE } from './metrics/exposition.ts';
import { requestUrl } from './request-url.ts';
import type { TicketDesk } from './security/ticket-desk.ts';
import { KAFKA_PATH } from './websocket.ts';

/** Where tickets are given. */
const TICKET_PATH = '/ticket';

/** What is asked of the broker over HTTP. */
export interface Asked {
  /** Undefined when ready, else why not. */
  notReady(): string | undefined;
  metrics(names: 'milena' | 'kafka'): Promise<string>;
  page?: Pages | undefined;
  /** Undefined: there are no tickets. */
  tickets: () => TicketDesk | undefined;
}

/** What is served to browsers beside Kafka: undefined where there is nothing at that path. */
export type Pages = (path: string) => { type: string; body: Uint8Array } | undefined;

/**
 * `/livez`: the event loop turns. `/readyz`: storage is writable, the metadata shard is up, and nothing is shutting
 * down (503 and the reason otherwise). `/metrics`, and the same under Kafka's names at `/metrics/kafka`. Kafka over
 * WebSocket is another matter: see `acceptWebSockets`.
 */
export function httpServer(broker: Asked, tls?: TlsOptions): Server {
  const options = { shouldUpgradeCallback: wantsWebSocket };
  const answerTo = answering(broker);
  return tls === undefined
    ? createServer(options, answerTo)
    : createTlsServer({ ...options, ...tls } as ServerOptions, answerTo);
}

function answering(broker: Asked) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const answer = (status: number, text: string) => answerText(request, response, { status, text });
    const { pathname } = requestUrl(request);
    const desk = pathname === TICKET_PATH ? broker.tickets() : undefined;
    if (desk !== undefined) return void desk.serve(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET and HEAD');
    switch (pathname) {
      case '/livez':
        return answer(200, 'ok');
      case '/readyz': {
        const reason = broker.notReady();
        return answer(reason === undefined ? 200 : 503, reason ?? 'ok');
      }
      case '/metrics':
        return answerMetrics(request, response, broker.metrics('milena'));
      case '/metrics/kafka':
        return answerMetrics(request, response, broker.metrics('kafka'));
      case KAFKA_PATH:
        response.setHeader('upgrade', 'websocket');
        return answer(426, 'Kafka over WebSocket: this wants an upgrade');
      default:
        return answerPage(request, response, broker.page?.(pathname));
    }
  };
}

/** Any other upgrade is not meant for us: the request is answered as if it had not asked for one. */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function answerText(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, text, type = 'text/plain; charset=utf-8' }: { status: number; text: string; type?: string },
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : `${text.trimEnd()}\n`);
}

function answerPage(request: IncomingMessage, response: ServerResponse, page: ReturnType<Pages>): void {
  if (page === undefined) {
    const served = `/livez, /readyz, /metrics and, for WebSockets, ${KAFKA_PATH}`;
    return answerText(request, response, { status: 404, text: `not found; this port serves ${served}` });
  }
  const headers = {
    'content-type': page.type,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : page.body);
}

function answerMetrics(request: IncomingMessage, response: ServerResponse, page: Promise<string>): void {
  page.then(
    (text) => answerText(request, response, { status: 200, text, type: EXPOSITION_TYPE }),
    (error) => answerText(request, response, { status: 500, text: String(error) }),
  );
}
