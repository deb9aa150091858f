import { join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { minify } from 'vite';
import { defineConfig } from 'vitest/config';
import { BACK_ENDS, CHROMIUM_FLAGS, type BackEnd, findChromium } from './test/browser/chromium.ts';
import { newProfile } from './test/browser/profile.ts';
import { clearIndexedDb } from './test/browser/storage-commands.ts';

/** What the package holds beside its scripts, one folder above each of them: see `.ci/package.mjs`. */
const PACKAGED: Readonly<Record<string, string>> = {
  '../../build/kernels.wasm': '../kernels.wasm',
  '../../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm': '../zstd.wasm',
};

/** Scripts name such a file as the platform wants it, and bundlers of those who use the package know that form. */
const packagedFiles = {
  name: 'packaged-files',
  enforce: 'pre' as const,
  transform(code: string, id: string) {
    if (!/-?module\.(?:node|browser|workerd)\.ts$/.test(id)) return undefined;
    const named = Object.keys(PACKAGED).find((path) => code.includes(`'${path}'`));
    if (named === undefined) throw new Error(`${id} names no file of the package`);
    return code.replace(named, PACKAGED[named] ?? '');
  },
  resolveId: (id: string) => (Object.values(PACKAGED).includes(id) ? { id, external: true } : undefined),
};

/**
 * The library of `milena mcp`, which is large for one command: packed small, and without what is never asked of it
 * (see `shims.ts`).
 */
const mcpLibrary = {
  name: 'mcp-library',
  enforce: 'pre' as const,
  resolveId: (id: string) =>
    id === '@modelcontextprotocol/server/_shims'
      ? join(import.meta.dirname, 'src/cli/mcp/shims.ts')
      : undefined,
  async transform(code: string, id: string) {
    if (!/\/node_modules\/(?:@modelcontextprotocol|zod)\//.test(id)) return undefined;
    return { code: (await minify(id, code, { module: true })).code, map: null };
  },
};

/** Few files, so that a process starts fast. Each home has its own `milena`; what Node alone has is Node's. */
const HOMES = {
  node: {
    'bin/milena': 'src/cli/main.ts',
    'lib/node': 'src/hosts/node/index.ts',
    'lib/milena.node': 'src/hosts/node/client.ts',
    'lib/testing': 'src/hosts/node/testing.ts',
    'lib/kafkajs': 'src/kafkajs/index.ts',
  },
  browser: {
    'lib/milena.browser': 'src/hosts/web/index.ts',
    'lib/web': 'src/web/index.ts',
    'lib/react': 'src/react/index.ts',
  },
  workerd: { 'lib/milena.workerd': 'src/hosts/web/index.ts', 'lib/cloudflare': 'workers/index.ts' },
};
type HomeName = keyof typeof HOMES;

/** As much of a bundler's graph as is looked at. */
interface Graph {
  getModuleInfo(id: string): { importedIds: string[]; dynamicallyImportedIds: string[] } | null;
}

/** These and all that they import, and the parts that any of it loads later. */
function reached(graph: Graph, from: Iterable<string>): { first: Set<string>; later: Set<string> } {
  const first = new Set(from);
  const later = new Set<string>();
  for (const id of first) {
    const { importedIds = [], dynamicallyImportedIds = [] } = graph.getModuleInfo(id) ?? {};
    for (const other of importedIds) first.add(other);
    for (const other of dynamicallyImportedIds) later.add(other);
  }
  return { first, later };
}

/**
 * What a page loads of the client at first lies in one script, since each is fetched and packed by itself; but for what
 * it has in common with `milena/web`, which would load all of it.
 */
function clientScript() {
  const [client = '', ...others] = Object.values(HOMES.browser).map((path) =>
    join(import.meta.dirname, path),
  );
  const names = ['base', 'common', 'common-later', 'client'] as const;
  const nameOf = (id: string, graph: Graph): (typeof names)[number] | undefined => {
    if (!reached(graph, [client]).first.has(id)) return undefined;
    const theirs = reached(graph, others);
    const isLater = reached(graph, theirs.later).first.has(id);
    if (theirs.first.has(id)) return isLater ? 'base' : 'common';
    return isLater ? 'common-later' : 'client';
  };
  return names.map((name, place) => ({
    name: (id: string, graph: Graph) => (nameOf(id, graph) === name ? name : null),
    debugName: name,
    // What one has is not taken by the next, where that needs it.
    priority: names.length - place,
  }));
}

/** @param home whose conditions choose, where a module is another one in each (`imports` of package.json). */
function packageBuild(home: HomeName) {
  return {
    logLevel: 'warn' as const,
    plugins: [packagedFiles, mcpLibrary],
    ssr: {
      noExternal: true as const,
      target: home === 'node' ? ('node' as const) : ('webworker' as const),
      resolve: { conditions: [home, 'module', 'default'] },
    },
    build: {
      ssr: true,
      outDir: 'dist',
      emptyOutDir: home === 'node',
      target: 'node22',
      minify: false,
      sourcemap: false,
      rollupOptions: {
        input: HOMES[home],
        // The user's own.
        external: ['react', '@opentelemetry/api', 'cloudflare:workers'],
        // An entry exports what it says, even where a script that it loads later needs more of it.
        preserveEntrySignatures: 'strict' as const,
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: `chunks/${home}-[name].js`,
          ...(home === 'browser' && { codeSplitting: { groups: clientScript() } }),
        },
      },
    },
  };
}

/** What `milena dev` serves to browsers: the entry `milena/web` as one script, and what that loads when it must. */
const servedScripts = {
  logLevel: 'warn' as const,
  build: {
    outDir: 'dist/web',
    modulePreload: false,
    rollupOptions: {
      input: { web: 'src/web/index.ts' },
      preserveEntrySignatures: 'strict' as const,
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
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
        // A disk that is still behind with an installation keeps a first flush waiting.
        hookTimeout: 30_000,
      },
    },
    {
      plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
      test: {
        name: 'workerd',
        include: ['test/workerd/**/*.test.ts'],
        testTimeout: 30_000,
        hookTimeout: 30_000,
      },
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
  mode === 'served'
    ? servedScripts
    : mode in HOMES
      ? packageBuild(mode as HomeName)
      : // Vitest leaves a processor to itself, and tests wait more than they work.
        { test: { reporters: ['default'], maxWorkers: '100%', projects: await testProjects() } },
);
