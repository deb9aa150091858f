import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { BACK_ENDS, CHROMIUM_FLAGS, type BackEnd, findChromium } from './test/browser/chromium.ts';
import { newProfile } from './test/browser/profile.ts';
import { clearIndexedDb } from './test/browser/storage-commands.ts';

/** In the package the kernels lie one folder above each of its scripts: see `.ci/package.mjs`. */
const packagedKernels = {
  name: 'packaged-kernels',
  transform(code: string, id: string) {
    if (!id.endsWith('/src/kernels/module.node.ts')) return undefined;
    const packaged = code.replace('../../build/kernels.wasm', '../kernels.wasm');
    if (packaged === code) throw new Error('module.node.ts does not say where the kernels are');
    return packaged;
  },
};

/** The command line and the library for Node: few files, so that a process starts fast. */
const nodeBuild = {
  logLevel: 'warn' as const,
  plugins: [packagedKernels],
  ssr: { noExternal: true as const, target: 'node' as const },
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: true,
    target: 'node22',
    minify: false,
    sourcemap: false,
    rollupOptions: {
      input: {
        'bin/milena': 'src/cli/main.ts',
        'lib/node': 'src/hosts/node/index.ts',
        'lib/kafkajs': 'src/kafkajs/index.ts',
      },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
    },
  },
};

/** Chromium with a profile on disk: in a private window IndexedDB is another one, in memory. */
function chromiumProject(
  name: string,
  { include, executablePath, backEnd }: { include: string[]; executablePath: string; backEnd: BackEnd },
) {
  const profile = newProfile();
  const args = [...CHROMIUM_FLAGS, ...BACK_ENDS[backEnd]];
  return {
    optimizeDeps: { include: ['idb', 'fast-check'] },
    test: {
      name,
      include,
      fileParallelism: false,
      testTimeout: 60_000,
      provide: { backEnd },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        instances: [{ browser: 'chromium' as const }],
        provider: playwright({
          launchOptions: { executablePath, chromiumSandbox: false, args },
          persistentContext: profile.path,
        }),
        commands: { profileFiles: () => profile.files(), clearIndexedDb },
      },
    },
  };
}

async function testProjects() {
  const executablePath = await findChromium();
  return [
    {
      test: {
        name: 'node',
        include: ['test/**/*.test.ts'],
        exclude: ['test/{workerd,browser}/**'],
        testTimeout: 30_000,
      },
    },
    {
      plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
      test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout: 30_000 },
    },
    chromiumProject('chromium', {
      include: ['test/browser/*.test.ts', 'test/browser/indexed-db/*.test.ts'],
      executablePath,
      backEnd: 'leveldb',
    }),
    chromiumProject('chromium-sqlite', {
      include: ['test/browser/indexed-db/*.test.ts'],
      executablePath,
      backEnd: 'sqlite',
    }),
  ];
}

export default defineConfig(async ({ mode }) =>
  mode === 'node' ? nodeBuild : { test: { reporters: ['default'], projects: await testProjects() } },
);
