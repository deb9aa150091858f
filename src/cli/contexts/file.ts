import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError, EXIT } from '../errors.ts';

/** A broker by name. */
export interface Context {
  url: string;
  /** File with who to be there: see `--client-config`. Secrets are in it, never here. */
  clientConfig?: string;
}

/** Contexts as a file has them; a file that is not there has none. */
export interface ContextFile {
  path: string;
  /** The one that is in use where nothing else is said. */
  use: string | undefined;
  contexts: ReadonlyMap<string, Context>;
}

/** Variables that say which broker a command speaks to: no settings of a node. */
export const TARGET_VARIABLES: ReadonlySet<string> = new Set([
  'MILENA_URL',
  'MILENA_CONTEXT',
  'MILENA_CONTEXTS',
  'MILENA_CLIENT_CONFIG',
]);

export const REPOSITORY_FILE = '.milena.json';
const FORMAT_VERSION = 1;

/** Where the user's contexts are: `MILENA_CONTEXTS`, or where the system keeps settings. */
export function userPath(env: NodeJS.ProcessEnv): string {
  if (env['MILENA_CONTEXTS']) return env['MILENA_CONTEXTS'];
  const settings = process.platform === 'win32' ? env['APPDATA'] : env['XDG_CONFIG_HOME'];
  return join(settings || join(homedir(), '.config'), 'milena', 'contexts.json');
}

/**
 * Where the repository's contexts are: the nearest file from `folder` upwards, not beyond the repository; where there
 * is none, at its top, or in `folder` outside of any.
 */
export function repositoryPath(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, REPOSITORY_FILE);
    if (existsSync(path) || existsSync(join(at, '.git'))) return path;
    if (dirname(at) === at) return join(folder, REPOSITORY_FILE);
  }
}

/** @throws CliError when it is there and cannot be understood. */
export async function readContexts(path: string): Promise<ContextFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { path, use: undefined, contexts: new Map() };
    throw bad(path, (error as Error).message);
  }
  return { path, ...parse(path, text) };
}

/** The file is the old one or the new one, whenever the process ends; only its owner may read it. */
export async function writeContexts({ path, use, contexts }: ContextFile): Promise<void> {
  const body = {
    version: FORMAT_VERSION,
    ...(use === undefined ? {} : { use }),
    contexts: Object.fromEntries(contexts),
  };
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, `${JSON.stringify(body, null, 2)}\n`, { mode: 0o600 });
  await rename(aside, path);
}

function parse(path: string, text: string): Omit<ContextFile, 'path'> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw bad(path, (error as Error).message);
  }
  if (!isObject(body) || body['version'] !== FORMAT_VERSION)
    throw bad(path, `"version" is not ${FORMAT_VERSION}`);
  const { use, contexts = {} } = body;
  if (use !== undefined && typeof use !== 'string') throw bad(path, '"use" is no name');
  if (!isObject(contexts)) throw bad(path, '"contexts" is no object');
  const read = Object.entries(contexts).map(([name, context]): [string, Context] => {
    if (!isObject(context) || typeof context['url'] !== 'string')
      throw bad(path, `context ${name} has no "url"`);
    const { url, clientConfig } = context;
    if (clientConfig !== undefined && typeof clientConfig !== 'string')
      throw bad(path, `"clientConfig" of context ${name} is no path`);
    return [name, { url, ...(clientConfig !== undefined && { clientConfig }) }];
  });
  return { use, contexts: new Map(read) };
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, why: string): CliError {
  return new CliError(
    EXIT.failure,
    'BAD_CONTEXTS',
    `${path}: ${why}`,
    'mend it, or delete it and add the contexts again',
  );
}
