import type { IncomingMessage } from 'node:http';

const BASE = 'http://localhost';

/** Path and query of a request; the root for what is no path. */
export function requestUrl({ url = '/' }: IncomingMessage): URL {
  return URL.canParse(url, BASE) ? new URL(url, BASE) : new URL(BASE);
}
