import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from '../errors.ts';
import { type Wrangler, WranglerFailed } from './wrangler.ts';

export interface DeployOptions {
  /** Of the Worker. */
  name: string;
  /** Of R2, for closed segments; undefined: they stay in their objects. */
  bucket: string | undefined;
  /** Broker settings, as in server.properties. */
  settings: string;
  /** Where a place for objects is not said by each topic. */
  vars: Readonly<Record<string, string>>;
  /** Configuration and secret are kept there, for the next time. */
  folder: string;
  /** The script that is deployed. */
  worker: string;
}

export interface DeployParts {
  wrangler: Wrangler;
  /** @throws CliError when the answer is no. */
  confirm: (question: string) => Promise<void>;
  note: (text: string) => void;
}

const COMPATIBILITY_DATE = '2026-07-01';
/** Batches are compressed, or not, by their producers: once more for each reader costs more than all else. */
const COMPATIBILITY_FLAGS = ['no_web_socket_compression'];
const OLDEST_WRANGLER = 4;
const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;

/** Checks, asks, deploys. @returns where it is, and the secret that tickets are signed with. */
export async function deploy(
  options: DeployOptions,
  { wrangler, confirm, note }: DeployParts,
): Promise<{ url: string; secret: string }> {
  const { name, bucket, folder } = options;
  await checkVersion(wrangler);
  const account = await accountOf(wrangler);
  const what = bucket === undefined ? `Worker ${name}` : `Worker ${name} and bucket ${bucket} of R2`;
  await confirm(`deploy ${what} to ${account}? Cloudflare may bill what they use`);
  const config = writeConfig(options);
  const { path: secrets, secret } = secretIn(folder);
  if (bucket !== undefined) {
    note(`bucket ${bucket}`);
    await createBucket(wrangler, bucket);
  }
  note(`Worker ${name}`);
  const output = await orExplain(wrangler.run(['deploy', '--config', config, '--secrets-file', secrets]));
  const url = /https?:\/\/[\w.:-]+/.exec(output.split('\n').filter(isAddress).join('\n'))?.[0];
  if (url === undefined)
    throw new CliError(
      EXIT.failure,
      'NO_ADDRESS',
      'it is deployed, and wrangler does not say where',
      'give it a route, or workers.dev, in the dashboard of Cloudflare',
    );
  return { url, secret };
}

/** Not the addresses of help and news. */
function isAddress(line: string): boolean {
  return /^\s*https?:\/\/[\w.:-]+\s*$/.test(line);
}

async function checkVersion(wrangler: Wrangler): Promise<void> {
  const text = await orExplain(wrangler.run(['--version']));
  const major = Number(/(\d+)\.\d+\.\d+/.exec(text)?.[1] ?? 0);
  if (major >= OLDEST_WRANGLER) return;
  const hint = 'npm install --save-dev wrangler@latest';
  throw new CliError(EXIT.failure, 'OLD_WRANGLER', `wrangler ${text.trim()} is too old`, hint);
}

async function accountOf(wrangler: Wrangler): Promise<string> {
  const text = await wrangler.run(['whoami']).catch((error: unknown) => {
    if (error instanceof WranglerFailed) return error.output;
    throw error;
  });
  if (/not authenticated|not logged in/i.test(text))
    throw new CliError(
      EXIT.unauthorised,
      'NOT_LOGGED_IN',
      'wrangler is not logged in to Cloudflare',
      'log in, or set CLOUDFLARE_API_TOKEN',
      'npx wrangler login',
    );
  return /([\w.+-]+@[\w-]+\.[\w.-]+\w)/.exec(text)?.[1] ?? 'your account';
}

/** One that is there is as good. */
async function createBucket(wrangler: Wrangler, bucket: string): Promise<void> {
  try {
    await wrangler.run(['r2', 'bucket', 'create', bucket]);
  } catch (error) {
    const isThere = error instanceof WranglerFailed && /already (?:exists|own)/i.test(error.output);
    if (!isThere) throw explained(error);
  }
}

function writeConfig({ name, bucket, settings, vars, folder, worker }: DeployOptions): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'wrangler.json');
  const all = { ...(settings !== '' && { MILENA_SETTINGS: settings }), ...vars };
  const config = {
    name,
    main: worker,
    compatibility_date: COMPATIBILITY_DATE,
    compatibility_flags: COMPATIBILITY_FLAGS,
    workers_dev: true,
    durable_objects: { bindings: [{ name: 'SHARDS', class_name: 'ShardObject' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['ShardObject'] }],
    ...(bucket !== undefined && { r2_buckets: [{ binding: 'SEGMENTS', bucket_name: bucket }] }),
    vars: { MILENA_CLUSTER: name, ...all },
  };
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`);
  return path;
}

/** The one of the last time: tickets stay good. */
function secretIn(folder: string): { path: string; secret: string } {
  const path = join(folder, 'secrets.json');
  if (!existsSync(path)) {
    const made = { MILENA_SECRET: randomBytes(SECRET_BYTES).toString('base64url') };
    writeFileSync(path, `${JSON.stringify(made)}\n`, { mode: OWNER_ONLY });
  }
  const { MILENA_SECRET: secret } = JSON.parse(readFileSync(path, 'utf8')) as { MILENA_SECRET?: string };
  if (typeof secret === 'string' && secret.length >= SECRET_BYTES) return { path, secret };
  const hint = 'take the file away, and a new one is made: tickets are not good any more then';
  throw new CliError(EXIT.failure, 'BAD_SECRET', `${path} has no MILENA_SECRET of 32 characters`, hint);
}

async function orExplain(running: Promise<string>): Promise<string> {
  try {
    return await running;
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof WranglerFailed)) return error;
  const said = error.output.split('\n').find((line) => /error/i.test(line)) ?? error.output.trim();
  return new CliError(EXIT.failure, 'WRANGLER', error.message, said.trim());
}
