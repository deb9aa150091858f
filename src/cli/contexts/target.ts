import { CliError, EXIT } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type Context, type ContextFile, readContexts, repositoryPath, userPath } from './file.ts';

/** Which broker a command speaks to, and who says so. */
export interface Target {
  url: string;
  /** `--url`, `MILENA_URL`, `context staging of .milena.json`, `default`. */
  source: string;
  context: string | undefined;
  /** File with who to be: see `--client-config`. */
  clientConfig?: string | undefined;
}

export const DEFAULT_URL = 'kafka://127.0.0.1:9092';

export interface ContextFiles {
  repository: ContextFile;
  user: ContextFile;
}

export async function contextFiles(env = process.env, folder = process.cwd()): Promise<ContextFiles> {
  const [repository, user] = await Promise.all([
    readContexts(repositoryPath(folder)),
    readContexts(userPath(env)),
  ]);
  return { repository, user };
}

/**
 * The first of these that says something: `--url`, `--context`, `MILENA_URL`, `MILENA_CONTEXT`, what the repository's
 * file uses, what the user's file uses, the default. A name means the repository's context before the user's.
 * @throws CliError when a context that is named is not there.
 */
export async function targetOf(given: TargetArgs): Promise<Target> {
  const target = await brokerOf(given);
  const clientConfig = given['client-config'] ?? (process.env['MILENA_CLIENT_CONFIG'] || target.clientConfig);
  return { ...target, ...(clientConfig && { clientConfig }) };
}

interface TargetArgs {
  url?: string | undefined;
  context?: string | undefined;
  'client-config'?: string | undefined;
}

async function brokerOf(given: TargetArgs): Promise<Target> {
  const { env } = process;
  if (given.url !== undefined) return { url: urlOf(given.url), source: '--url', context: undefined };
  if (given.context === undefined && env['MILENA_URL'])
    return { url: urlOf(env['MILENA_URL']), source: 'MILENA_URL', context: undefined };
  const files = await contextFiles();
  const name = given.context ?? (env['MILENA_CONTEXT'] || files.repository.use) ?? files.user.use;
  if (name === undefined) return { url: DEFAULT_URL, source: 'default', context: undefined };
  const { url, path, clientConfig } = contextNamed(files, name);
  return { url: urlOf(url), source: `context ${name} of ${path}`, context: name, clientConfig };
}

/** @throws CliError */
export function contextNamed({ repository, user }: ContextFiles, name: string): Context & { path: string } {
  for (const { path, contexts } of [repository, user]) {
    const found = contexts.get(name);
    if (found !== undefined) return { ...found, path };
  }
  const near = nearest(name, [...repository.contexts.keys(), ...user.contexts.keys()]);
  const hint = near === undefined ? 'milena context add makes one' : `did you mean ${near}?`;
  throw new CliError(
    EXIT.notFound,
    'UNKNOWN_CONTEXT',
    `there is no context ${name}`,
    hint,
    'milena context ls',
  );
}

/** `host:port`, `host` and `:port` stand for `kafka://`. */
export function urlOf(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return `kafka://${text.startsWith(':') ? '127.0.0.1' : ''}${text}`;
}
