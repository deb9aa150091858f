import type { ArgsDef } from 'citty';
import type { Admin } from '../client/admin/admin.ts';
import type { Client } from '../client/client.ts';
import { type Credentials, readClientConfig } from './client-config.ts';
import { type Target, targetOf } from './contexts/target.ts';
import type { Millis } from '../model/ids.ts';
import { noTopic } from './no-topic.ts';
import type { Report } from './terminal/report.ts';

/** How a command is told which broker it speaks to. */
export const brokerArgs = {
  url: {
    type: 'string',
    alias: ['b', 'broker'],
    valueHint: 'URL',
    description: 'Broker: host:port, kafka://…, wss://…; else that of the context or MILENA_URL',
  },
  context: { type: 'string', valueHint: 'NAME', description: 'Broker by name: see milena context' },
  'client-config': {
    type: 'string',
    valueHint: 'FILE',
    description: "Who you are and whom you trust, as Kafka's tools take it; else MILENA_CLIENT_CONFIG",
  },
} satisfies ArgsDef;

export interface BrokerArgs {
  url?: string | undefined;
  context?: string | undefined;
  'client-config'?: string | undefined;
}

/** Whom brokers see in their logs. */
export const CLIENT_ID = 'milena-cli';

/** Connects as the options, the environment and the contexts say; the caller closes it. @throws what `connect` does */
export async function connectTo(
  args: BrokerArgs,
  { report, ...options }: { report: Report; signal?: AbortSignal; retryForMs?: Millis },
): Promise<Client> {
  const target = await targetOf(args);
  report.detail(`broker: ${target.url} (${target.source})`);
  return connectAt(target, options);
}

async function connectAt(
  { url: given, clientConfig }: Target,
  options: { signal?: AbortSignal; retryForMs?: Millis },
): Promise<Client> {
  const { connect } = await import('../hosts/node/connect.ts');
  const { url, ...who } = await withCredentials(given, clientConfig);
  // A person waits: who is not there now is not there.
  return connect(url, {
    clientId: CLIENT_ID,
    connectForMs: 0,
    ...who,
    ...options,
  });
}

/** A broker's URL as the file with credentials makes it. @throws CliError */
export async function withCredentials(
  url: string,
  clientConfig: string | undefined,
): Promise<{ url: string } & Pick<Credentials, 'sasl' | 'tls'>> {
  if (clientConfig === undefined) return { url };
  const { usesTls, ...who } = await readClientConfig(clientConfig);
  return { ...who, url: usesTls ? url.replace(/^kafka:/, 'kafkas:') : url };
}

/** @throws CliError UNKNOWN_TOPIC, with the name that was most likely meant. */
export async function mustHaveTopics(
  admin: Admin,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const known = (await admin.topics.list({ internal: true, signal })).map(({ name }) => name);
  const missing = names.find((name) => !known.includes(name));
  if (missing !== undefined) throw noTopic(missing, known);
}

const WATCH_EVERY_MS = 500;

/** Says when the broker goes and comes back, while a command that runs for long tries again by itself. */
export function watch(client: Client, report: Report): Disposable {
  let isGone = false;
  const look = () => {
    const wasGone = isGone;
    isGone = client.status === 'reconnecting';
    if (isGone && !wasGone) report.warn('the broker does not answer: it is tried again');
    if (wasGone && !isGone) report.note('the broker is back');
  };
  const timer = setInterval(look, WATCH_EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
