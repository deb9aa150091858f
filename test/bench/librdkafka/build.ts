import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Confluent's binding of librdkafka for Node. Its own installer wants hosts that not everybody reaches. */
const PACKAGE = '@confluentinc/kafka-javascript';
const VERSION = '1.10.1';
const ROOT = join(import.meta.dirname, '../../../build/peers');
const LIBRARY = join(ROOT, 'librdkafka');
const APP = join(ROOT, 'app');

/** Where the built package lies. */
export const BINDING = join(APP, 'node_modules', PACKAGE);

/** `npm run bench -- librdkafka`: builds it from the sources in its npm package, in two minutes or so. */
export async function run(): Promise<void> {
  const headers = join(dirname(process.execPath), '..');
  if (!existsSync(join(headers, 'include/node/node.h'))) throw new Error(`no headers of Node in ${headers}`);
  rmSync(ROOT, { recursive: true, force: true });
  mkdirSync(APP, { recursive: true });
  writeFileSync(join(APP, 'package.json'), '{ "private": true }');
  command(ROOT, 'npm', ['pack', '--silent', `${PACKAGE}@${VERSION}`]);
  const archive = readdirSync(ROOT).find((name) => name.endsWith('.tgz')) ?? '';
  command(ROOT, 'tar', ['xzf', archive]);
  const source = join(ROOT, 'package/deps/librdkafka');
  command(source, './configure', [`--prefix=${LIBRARY}`, '--disable-gssapi']);
  command(source, 'make', ['-j2', 'libs']);
  for (const part of ['src', 'src-cpp']) command(source, 'make', ['-C', part, 'install']);
  command(APP, 'npm', ['install', '--build-from-source', join(ROOT, archive)], {
    BUILD_LIBRDKAFKA: '0',
    CXXFLAGS: `-I${LIBRARY}/include -I${LIBRARY}/include/librdkafka`,
    LDFLAGS: `-L${LIBRARY}/lib -Wl,-rpath,${LIBRARY}/lib`,
    npm_config_nodedir: headers,
  });
  console.error(`built ${BINDING}`);
}

function command(directory: string, name: string, args: string[], env: Record<string, string> = {}): void {
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status === 0) return;
  const words = (error?.message ?? stdout + stderr).split('\n').slice(-30).join('\n');
  const needed = 'libssl-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev liblz4-dev g++ make python3';
  throw new Error(`${name} ${args.join(' ')} failed:\n${words}\nIt needs Debian's ${needed}.`);
}
