// What `npm start`, `npm test` and the others run, on whatever Node >= 20 and npm are there: installs when the lock
// file asks for more than node_modules has, builds when a source is newer than the last build, then runs the command
// it was given. It does so itself because a shell that has run `node` once goes on with that one, and not with the
// Node that was installed meanwhile.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const SOURCES = [
  'src',
  'assembly',
  'web',
  'package.json',
  'vite.config.ts',
  '.ci/tsconfig.package.json',
  '.ci/package.mjs',
];
const STAMP = join(ROOT, 'dist', '.built');

function mtimeMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newestMs(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestMs(join(path, name))),
    info.mtimeMs,
  );
}

function npm(...args) {
  const shell = process.platform === 'win32';
  const result = spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], shell });
  if (result.status !== 0) {
    console.error(`\nnpm ${args.join(' ')} failed; what it printed above says why.`);
    process.exit(result.status ?? 1);
  }
}

/** `npm ci` begins by emptying node_modules, and a link leads it to somebody else's. */
function refuseLink() {
  const path = join(ROOT, 'node_modules');
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  console.error(`milena: ${path} is a link, and to install here would empty what it leads to.`);
  console.error('  remove the link; or keep it, and bring what it leads to up to date with package-lock.json there');
  process.exit(1);
}

const installed = mtimeMs(join(ROOT, 'node_modules', '.package-lock.json'));
if (installed < mtimeMs(join(ROOT, 'package-lock.json'))) {
  refuseLink();
  console.error('milena: installing dependencies (first run, or the lock file changed)');
  npm('ci', '--loglevel=error');
}
if (mtimeMs(STAMP) < Math.max(...SOURCES.map((path) => newestMs(join(ROOT, path))))) {
  console.error('milena: building');
  const startedAt = new Date();
  npm('run', 'build', '--silent');
  writeFileSync(STAMP, `${startedAt.toISOString()}\n`);
}

const [command, ...args] = process.argv.slice(2);
if (command !== undefined) {
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  // A Ctrl-C reaches the child by itself; its answer is waited for.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    console.error(`${command} could not be run: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}
