// `npm run check`: types per environment, lint, format, tidy, side by side. Prints what failed; under 10 s.
import { spawn } from 'node:child_process';

const tasks = {
  'types: core': ['tsc', '-p', 'src'],
  'types: client': ['tsc', '-p', 'src/client'],
  'types: node': ['tsc', '-p', 'src/hosts/node'],
  'types: browser host': ['tsc', '-p', 'src/hosts/browser'],
  'types: web': ['tsc', '-p', 'src/hosts/web'],
  'types: pages': ['tsc', '-p', 'src/web'],
  'types: test': ['tsc', '-p', 'test'],
  'types: browser': ['tsc', '-p', 'test/browser'],
  'types: workers': ['tsc', '-p', 'workers'],
  lint: [
    'oxlint',
    '--type-aware',
    '--tsconfig',
    'test/tsconfig.json',
    'src',
    'workers',
    'test',
    'vite.config.ts',
  ],
  format: ['oxfmt', '--check', 'src', 'workers', 'test', 'vite.config.ts'],
  tidy: ['vitest', 'run', '--project', 'node', 'test/tidy.test.ts'],
};

function run(name, [command, ...args]) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => done({ name, failed: true, output: String(error) }));
    child.on('close', (code) => done({ name, failed: code !== 0, output }));
  });
}

const startedAtMs = Date.now();
const results = await Promise.all(Object.entries(tasks).map(([name, task]) => run(name, task)));
for (const { name, failed, output } of results) {
  console.log(`${failed ? 'FAILED' : 'ok    '} ${name}`);
  if (failed) console.log(output.trimEnd());
}
const failures = results.filter((result) => result.failed).length;
console.log(
  `${results.length - failures} ok, ${failures} failed, ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`,
);
process.exit(failures === 0 ? 0 : 1);
