import { readFile } from 'node:fs/promises';
import type { ConnectOptions, SaslOptions, TlsOptions } from '../client/connect.ts';
import { parseProperties } from './config/properties.ts';
import { CliError, EXIT } from './errors.ts';
import { nearest } from './nearest.ts';

/** Names of Kafka's clients, and librdkafka's, that mean something here. */
const NAMES: ReadonlySet<string> = new Set([
  'security.protocol',
  'sasl.mechanism',
  'sasl.mechanisms',
  'sasl.jaas.config',
  'sasl.username',
  'sasl.password',
  'milena.token.file',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.ca.location',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.key.password',
]);

/** Who a command is, and whom it trusts. */
export interface Credentials extends Pick<ConnectOptions, 'sasl' | 'tls'> {
  /** `kafka://` stands for `kafkas://`. */
  usesTls: boolean;
}

/**
 * A file as Kafka's own tools take it (`--command-config`): security.protocol, sasl.mechanism, sasl.jaas.config or
 * sasl.username and sasl.password, ssl.* in PEM. What it holds is never printed.
 * @throws CliError
 */
export async function readClientConfig(path: string): Promise<Credentials> {
  const { entries, faults } = parseProperties(await textOf(path));
  const [fault] = faults;
  if (fault !== undefined) throw bad(`${path}:${fault.line}`, 'is no KEY=VALUE');
  for (const { key, line } of entries)
    if (!NAMES.has(key)) {
      const near = nearest(key, NAMES);
      throw bad(
        `${path}:${line}`,
        `${key} is not read here${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
  const given = new Map(entries.map(({ key, value }) => [key, value]));
  const protocol = given.get('security.protocol') ?? 'PLAINTEXT';
  if (!/^(?:SASL_)?(?:PLAINTEXT|SSL)$/.test(protocol))
    throw bad(path, `security.protocol=${protocol} is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`);
  const usesTls = protocol.endsWith('SSL');
  const tls = usesTls ? await tlsOf(given) : undefined;
  const sasl = protocol.startsWith('SASL') ? await saslOf(path, given) : undefined;
  return { usesTls, ...(tls && { tls }), ...(sasl && { sasl }) };
}

async function saslOf(path: string, given: ReadonlyMap<string, string>): Promise<SaslOptions> {
  const mechanism = (given.get('sasl.mechanism') ?? given.get('sasl.mechanisms') ?? '').toLowerCase();
  if (mechanism === 'oauthbearer') {
    const file = given.get('milena.token.file');
    if (file === undefined) throw bad(path, 'OAUTHBEARER needs milena.token.file, a file with the token');
    return { mechanism, token: async () => (await textOf(file)).trim() };
  }
  if (mechanism !== 'plain' && mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512')
    throw bad(path, 'sasl.mechanism is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER');
  const jaas = given.get('sasl.jaas.config') ?? '';
  const username = given.get('sasl.username') ?? inJaas(jaas, 'username');
  const password = given.get('sasl.password') ?? inJaas(jaas, 'password');
  if (username === undefined || password === undefined)
    throw bad(path, 'say who you are: sasl.username and sasl.password, or sasl.jaas.config');
  return { mechanism, username, password };
}

/** `… required username="alice" password="secret";` */
function inJaas(jaas: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}\\s*=\\s*"((?:\\\\.|[^"\\\\])*)"`).exec(jaas)?.[1];
  return value?.replace(/\\(.)/g, '$1');
}

async function tlsOf(given: ReadonlyMap<string, string>): Promise<TlsOptions> {
  const textAt = async (name: string) => {
    const path = given.get(name);
    return path === undefined ? undefined : textOf(path);
  };
  const ca =
    given.get('ssl.truststore.certificates') ??
    (await textAt('ssl.truststore.location')) ??
    (await textAt('ssl.ca.location'));
  const store = await textAt('ssl.keystore.location');
  const cert =
    given.get('ssl.keystore.certificate.chain') ?? (await textAt('ssl.certificate.location')) ?? store;
  const key = given.get('ssl.keystore.key') ?? (await textAt('ssl.key.location')) ?? store;
  const passphrase = given.get('ssl.key.password');
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw bad(path, (error as Error).message);
  }
}

function bad(where: string, why: string): CliError {
  return new CliError(EXIT.usage, 'CLIENT_CONFIG', `${where}: ${why}`, 'see docs/how-to/secure.md');
}
