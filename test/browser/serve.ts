import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface PageServer {
  /** Of an empty page; the modules of the repository are under it by path: `/test/browser/...ts`. */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves the repository's modules to a browser, from an origin of its own.
 * @param handle answers what is not a module; true when it did.
 */
export async function servePages(
  packages: readonly string[],
  handle: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<PageServer> {
  const vite = await createServer({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    appType: 'custom',
    // One for each set of packages: several servers may run at once.
    cacheDir: `node_modules/.vite-pages/${packages.join('+').replaceAll('/', '-')}`,
    optimizeDeps: { include: [...packages], noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const server = createHttpServer((request, response) => {
    if (handle(request, response)) return;
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Milena</title>');
    } else {
      vite.middlewares(request, response);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await vite.close();
    },
  };
}
