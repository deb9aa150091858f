import type { ArgsDef } from 'citty';
import { everyValue } from '../options.ts';
import { type Gathered, fromEnvironment, fromFile, fromSet } from './sources.ts';

/** Options that stand for settings: stronger than the environment, which is stronger than the file. */
const FLAGS = {
  'node-id': ['node.id', 'ID', 'This node; the data directory belongs to it'],
  listeners: ['listeners', 'URL', 'Where to listen: PLAINTEXT://host:port, an empty host for all interfaces'],
  'advertised-listeners': ['advertised.listeners', 'URL', 'What clients are told to connect to'],
  data: ['log.dirs', 'DIR', 'Where to keep the log'],
  http: ['milena.http.listener', 'HOST:PORT', 'WebSockets, /metrics, /livez and /readyz; none for nowhere'],
  'allow-origin': ['milena.http.allowed.origins', 'ORIGIN,…', 'Web pages that may use the broker; * is any'],
  flush: ['milena.flush', 'always|never', 'always: an ack means flushed to disk'],
  'log-level': ['milena.log.level', 'LEVEL', 'debug, info, warn or error'],
  'log-format': ['milena.log.format', 'FORMAT', 'json, pretty or auto'],
} as const;

/** Where settings come from; `milena doctor` looks at the same. */
export const configArgs = {
  config: {
    type: 'string',
    alias: 'c',
    valueHint: 'FILE',
    description: "Settings in Kafka's server.properties form",
  },
  ...(Object.fromEntries(
    Object.entries(FLAGS).map(([name, [, valueHint, description]]) => [
      name,
      { type: 'string' as const, valueHint, description },
    ]),
  ) as Record<keyof typeof FLAGS, { type: 'string'; valueHint: string; description: string }>),
  set: {
    type: 'string',
    valueHint: 'KEY=VALUE',
    description: 'Any other setting; may be given more than once',
  },
} satisfies ArgsDef;

/** All sources, the strongest last. @param rawArgs canonical ones. */
export function gather(rawArgs: readonly string[]): Gathered[] {
  const files = everyValue(rawArgs, 'config');
  const flags = Object.entries(FLAGS).flatMap(([flag, [key]]) =>
    everyValue(rawArgs, flag).map((value) => ({ key, value, source: `--${flag}` })),
  );
  return [
    ...files.map(fromFile),
    fromEnvironment(process.env),
    { given: flags, problems: [] },
    ...everyValue(rawArgs, 'set').map(fromSet),
  ];
}
