import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const COMPATIBILITY_DATE = '2026-07-01';
const QUIET = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CI: 'true' };

export interface EdgeConfig {
  /** Of HTTP and WebSocket; port 0 picks a free one. */
  http: string;
  /** Kafka in plain TCP, if at all. */
  tcp?: string | undefined;
  /** Where objects keep their databases. */
  directory: string;
  /** Text bindings of the Worker, such as `MILENA_SETTINGS`. */
  vars?: Readonly<Record<string, string>>;
}

/** Bundles the Worker as wrangler deploys it. @returns the folder. */
export async function bundleEdge(folder: string): Promise<string> {
  const args = ['wrangler', 'deploy', '--dry-run', '--outdir', folder];
  await run('npx', args, { cwd: ROOT, env: { ...process.env, ...QUIET } });
  return folder;
}

/** Writes beside the bundle what runs it in one workerd process. @returns its path. */
export async function writeCapnp(bundle: string, config: EdgeConfig): Promise<string> {
  const script = await readFile(join(bundle, 'index.js'), 'utf8');
  const wasm = (await readdir(bundle)).filter((name) => name.endsWith('.wasm'));
  const modules = wasm.map((name) => {
    const imported = script.includes(`./${name}`) ? `./${name}` : name;
    return `(name = ${text(imported)}, wasm = embed ${text(name)})`;
  });
  const vars = Object.entries(config.vars ?? {}).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
  );
  const tcp =
    config.tcp === undefined
      ? []
      : [`(name = "tcp", address = ${text(config.tcp)}, tcp = (), service = "main")`];
  const sockets = [`(name = "http", address = ${text(config.http)}, http = (), service = "main")`, ...tcp];
  const capnp = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "objects", disk = (path = ${text(resolve(config.directory))}, writable = true)) ],
  sockets = [ ${sockets.join(',\n    ')} ] );
const main :Workerd.Worker = (
  modules = [ (name = "index.js", esModule = embed "index.js"),
    ${modules.join(',\n    ')} ],
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  compatibilityFlags = [ "no_web_socket_compression" ],
  bindings = [ ${[...vars, '(name = "SHARDS", durableObjectNamespace = "ShardObject")'].join(',\n    ')} ],
  durableObjectNamespaces = [
    (className = "ShardObject", uniqueKey = "milena-ShardObject", enableSql = true) ],
  durableObjectStorage = (localDisk = "objects") );
`;
  const folder = await mkdtemp(join(bundle, 'run-'));
  const path = join(folder, 'workerd.capnp');
  await writeFile(path, capnp.replaceAll('embed "', 'embed "../'));
  return path;
}

/** A capnp string. */
function text(value: string): string {
  return JSON.stringify(value);
}
