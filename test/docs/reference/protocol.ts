import { HANDLERS } from '../../../src/gateway/handlers/index.ts';
import * as pinned from '../../../src/web/apis.ts';
import { APIS } from '../../../src/wire/registry.ts';
import { table } from './markdown.ts';

export function protocolPage(): string {
  const served = new Map(HANDLERS.map((handler) => [handler.api.key, handler]));
  const pages = new Map(
    Object.values(pinned).flatMap((api) =>
      typeof api === 'object' && 'version' in api ? [[api.key, api.version] as const] : [],
    ),
  );
  const rows = APIS.map(({ key, name, versions, flexible }) => {
    const handler = served.get(key);
    return [
      String(key),
      name,
      range(versions),
      range(flexible),
      handler === undefined ? '' : range(handler),
      pages.has(key) ? String(pages.get(key)) : '',
    ];
  });
  return `# The protocol

Kafka's APIs. *Schemas*: the versions that \`src/wire\` reads and writes, of which *flexible* are those with
compact lengths and tagged
fields. *Broker*: what Milena's broker serves, as ApiVersions says; empty is not served, and closes the
connection as Kafka's does.
*Pages*: the one version that \`milena/web\` speaks; it needs a broker that serves it. The full client takes
the highest version that
it and a broker have in common.

${table(['key', 'API', 'schemas', 'flexible', 'broker', 'pages'], rows)}
`;
}

/** The end of a range that has none. */
const OPEN = 0x7fff;

function range({ min, max }: { min: number; max: number }): string {
  if (max < min) return '';
  if (max === OPEN) return `${min}+`;
  return min === max ? String(min) : `${min}–${max}`;
}
