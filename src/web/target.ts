import type { BrokerAddress } from '../ports/transport.ts';
import { invalid } from './errors.ts';
import { type From, fromOf } from './from.ts';

/** What a URL says. */
export interface Target {
  /** Of Kafka over WebSocket. */
  url: string;
  address: BrokerAddress;
  topic: string | undefined;
  from: From | undefined;
}

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};
const TOPIC_PATH = /^(.*)\/t\/([^/]+)\/?$/;

/**
 * A topic at a broker: `wss://log.example.dev/t/orders?from=-50`, in a page of that broker `/t/orders`; or the broker's
 * door, as `ws://127.0.0.1:9094/kafka`. The rest of the query goes to the door, such as a token.
 * @throws MilenaError INVALID_ARGUMENT
 */
export function parseTarget(text: string, base: string | undefined): Target {
  if (!URL.canParse(text, base))
    throw invalid(
      `${text} is no URL`,
      'write ws://127.0.0.1:9094/t/orders, or /t/orders in a page of the broker',
    );
  const url = new URL(text, base);
  const protocol = SCHEMES[url.protocol];
  if (protocol === undefined) throw invalid(`${text}: ws:// and wss:// are served here`);
  const [, prefix = '', topic] = TOPIC_PATH.exec(url.pathname) ?? [];
  const from = url.searchParams.get('from');
  url.searchParams.delete('from');
  // Of http: it could not be changed to ws: in place.
  const path = topic === undefined && url.pathname !== '/' ? url.pathname : `${prefix}/kafka`;
  const port = Number(url.port) || (protocol === 'wss:' ? 443 : 80);
  return {
    url: `${protocol}//${url.host}${path}${url.search}`,
    address: { host: url.hostname, port },
    topic: topic === undefined ? undefined : decoded(topic),
    from: from === null ? undefined : fromOf(from),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`${text} is no topic`);
  }
}
