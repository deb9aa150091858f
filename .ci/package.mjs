// The last step of `npm run build`: makes `dist/` the package that `npm pack ./dist` packs. Its manifest is made here,
// because the one at the root is that of the workshop: private, with tools and a Node of its own.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
/** Of this package the WASM alone goes into ours, which is zstd itself; it comes without zstd's license. */
const ZSTD = 'node_modules/@bokuweb/zstd-wasm';

const TYPES = join(DIST, 'types');
/** What the entries tell their types in; the platform does not change them. */
const TYPES_OF = {
  '.': './types/hosts/node/client.d.ts',
  './node': './types/hosts/node/index.d.ts',
  './testing': './types/hosts/node/testing.d.ts',
  './web': './types/web/index.d.ts',
  './react': './types/react/index.d.ts',
  './kafkajs': './types/kafkajs/index.d.ts',
};

rmSync(TYPES, { recursive: true, force: true });
execFileSync('tsc', ['-p', '.ci/tsconfig.package.json'], {
  cwd: ROOT,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
keepTypes(Object.values(TYPES_OF).map((path) => join(DIST, path)));

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
  sideEffects: false,
  exports: {
    '.': {
      types: TYPES_OF['.'],
      // Tools for Workers ask for `browser` too, so it comes later.
      workerd: './lib/milena.workerd.js',
      browser: './lib/milena.browser.js',
      node: './lib/milena.node.js',
      default: './lib/milena.browser.js',
    },
    './node': { types: TYPES_OF['./node'], default: './lib/node.js' },
    './testing': { types: TYPES_OF['./testing'], default: './lib/testing.js' },
    './web': { types: TYPES_OF['./web'], default: './lib/web.js' },
    './react': { types: TYPES_OF['./react'], default: './lib/react.js' },
    './kafkajs': { types: TYPES_OF['./kafkajs'], default: './lib/kafkajs.js' },
    // The Worker and its object class, which a Worker exports again.
    './cloudflare': './lib/cloudflare.js',
    './package.json': './package.json',
  },
  // Of `milena/react` alone, and of those who trace.
  peerDependencies: { '@opentelemetry/api': '^1.0.0', react: '>=18' },
  peerDependenciesMeta: { '@opentelemetry/api': { optional: true }, react: { optional: true } },
  files: ['bin', 'chunks', 'lib', 'types', 'web', 'kernels.wasm', 'zstd.wasm', 'THIRD_PARTY_LICENSES.txt'],
};
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
copyFileSync(join(ROOT, 'build', 'kernels.wasm'), join(DIST, 'kernels.wasm'));
copyFileSync(join(ROOT, ZSTD, 'dist', 'web', 'zstd.wasm'), join(DIST, 'zstd.wasm'));
copyFileSync(join(ROOT, 'web', 'five-lines', 'index.html'), join(DIST, 'web', 'index.html'));
for (const file of ['README.md', 'LICENSE']) copyFileSync(join(ROOT, file), join(DIST, file));
writeFileSync(
  join(DIST, 'THIRD_PARTY_LICENSES.txt'),
  [...bundledPackages().map(licenseOf), zstdLicense()].join('\n'),
);

/** Of all types keeps those that the entries name, with specifiers that every setting of TypeScript reads. */
function keepTypes(entries) {
  const kept = new Set();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (kept.has(file)) continue;
    kept.add(file);
    const text = readFileSync(file, 'utf8').replaceAll(
      /((?:\bfrom|\bimport\(|^import) ?['"])(\.[^'"]+)\.ts(['"])/gm,
      (_, before, path, after) => {
        waiting.push(join(dirname(file), `${path}.d.ts`));
        return `${before}${path}.js${after}`;
      },
    );
    // Older settings than ours do not know what `await using` takes.
    const head = entries.includes(file) ? '/// <reference lib="esnext.disposable" />\n' : '';
    writeFileSync(file, head + text);
  }
  for (const file of readdirSync(TYPES, { recursive: true }).map((path) => join(TYPES, path)))
    if (file.endsWith('.d.ts') && !kept.has(file)) rmSync(file);
}

function zstdLicense() {
  const { version: packageVersion } = JSON.parse(readFileSync(join(ROOT, ZSTD, 'package.json'), 'utf8'));
  const text = readFileSync(join(import.meta.dirname, 'zstd-license.txt'), 'utf8');
  return `zstd, from @bokuweb/zstd-wasm ${packageVersion}\n\n${text}`;
}

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
