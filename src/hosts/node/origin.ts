import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

export interface Address {
  host: string;
  port: number;
}

/** `host:port` as a URL has it; undefined when the text is none. */
function urlOf(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Whether the page that asks, if it is a page, may. Programs send no Origin and may. A page may when its origin is
 * named in `allowed` (`*` names all), or when it came from this very address, given as a number or as localhost: a
 * name in DNS can be made to lead here by whoever owns it, so names must be allowed by name.
 */
export function mayAsk(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowed.includes('*')) return true;
  const page = urlOf(origin);
  if (page === undefined) return false;
  if (allowed.some((each) => urlOf(each)?.origin === page.origin)) return true;
  return page.host === urlOf(`http://${host}`)?.host && isFixedHost(page.hostname);
}

function isFixedHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.startsWith('[') || isIP(hostname) !== 0;
}

const HOST_AND_PORT = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<name>[\w.-]{1,253})):(?<port>\d{1,5})$/i;

/** `host:port`, an IPv6 host in brackets; undefined when it is nothing a client could come back to. */
export function parseAddress(text: string): Address | undefined {
  const { v6, name, port } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const address = { host: v6 ?? name ?? '', port: Number(port) };
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  return address.port >= 1 && address.port <= 65_535 ? address : undefined;
}

/** As it stands in an address: an IPv6 host in brackets. */
export function authorityOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What the client called us, as it can be dialled again; undefined when it did not say. */
export function askedFor(headers: IncomingHttpHeaders): Address | undefined {
  const { host = '' } = headers;
  const standardPort = headers['x-forwarded-proto'] === 'https' ? 443 : 80;
  return parseAddress(host) ?? parseAddress(`${host}:${standardPort}`);
}
