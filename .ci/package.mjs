// The last step of `npm run build`: makes `dist/` the package that `npm pack ./dist` packs. Its manifest is made here,
// because the one at the root is that of the workshop: private, with tools and a Node of its own.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

// Each entry tells its types by itself: `noResolve` keeps the rest of the source out of them.
execFileSync('tsc', ['-p', '.ci/tsconfig.package.json'], {
  cwd: ROOT,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});

const { name, version, description, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const manifest = {
  name,
  version,
  description,
  keywords: ['kafka', 'broker', 'event log', 'websocket', 'kafkajs'],
  license,
  type: 'module',
  engines: { node: '>=22.15' },
  bin: { milena: 'bin/milena.js' },
  exports: {
    './node': { types: './types/hosts/node/index.d.ts', default: './lib/node.js' },
    './kafkajs': { types: './types/kafkajs/index.d.ts', default: './lib/kafkajs.js' },
    './package.json': './package.json',
  },
  files: ['bin', 'chunks', 'lib', 'types', 'kernels.wasm', 'THIRD_PARTY_LICENSES.txt'],
};
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
copyFileSync(join(ROOT, 'build', 'kernels.wasm'), join(DIST, 'kernels.wasm'));
for (const file of ['README.md', 'LICENSE']) copyFileSync(join(ROOT, file), join(DIST, file));
writeFileSync(join(DIST, 'THIRD_PARTY_LICENSES.txt'), bundledPackages().map(licenseOf).join('\n'));

/** The bundler marks where each file comes from. */
function bundledPackages() {
  const scripts = readdirSync(DIST, { recursive: true }).filter((file) => file.endsWith('.js'));
  const marks = scripts.flatMap((file) => [
    ...readFileSync(join(DIST, file), 'utf8').matchAll(
      /^\/\/(?:#region)? ?node_modules\/((?:@[^/]+\/)?[^/]+)\//gm,
    ),
  ]);
  return [...new Set(marks.map(([, packageName]) => packageName))].toSorted();
}

function licenseOf(packageName) {
  const folder = join(ROOT, 'node_modules', packageName);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${packageName} is bundled but has no license file to go with it`);
  const { version: packageVersion } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `${packageName} ${packageVersion}\n\n${readFileSync(join(folder, file), 'utf8')}`;
}
