import { createServer, type Server } from 'node:http';

/** What the probes ask. */
export interface Health {
  /** Undefined when ready, else why not. */
  notReady(): string | undefined;
}

/**
 * `/livez`: the event loop turns. `/readyz`: storage is writable, the metadata shard is up, and nothing is shutting
 * down (503 and the reason otherwise).
 */
export function httpServer(health: Health): Server {
  return createServer((request, response) => {
    const answer = (status: number, text: string) => {
      response.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET and HEAD');
    switch (new URL(request.url ?? '/', 'http://localhost').pathname) {
      case '/livez':
        return answer(200, 'ok');
      case '/readyz': {
        const reason = health.notReady();
        return answer(reason === undefined ? 200 : 503, reason ?? 'ok');
      }
      default:
        return answer(404, 'not found; this port serves /livez and /readyz');
    }
  });
}
