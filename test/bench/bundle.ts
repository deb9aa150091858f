import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { ROOT } from '../cli/milena.ts';
import { report } from './harness.ts';

/** Scripts of a page: what it loads before it can do anything, and by name what comes when it is asked for. */
interface Bundle {
  first: ReadonlySet<Chunk>;
  later: ReadonlyMap<string, ReadonlySet<Chunk>>;
}

type Chunk = Rolldown.OutputChunk;

/** The package: `npm run bench` has built it from what is here. */
const LIB = join(ROOT, 'dist', 'lib');

/** What pages wait for, of the parts that are fetched behind `connect`. */
const PAGES: Readonly<Record<string, { parts: readonly string[]; atMost: number }>> = {
  'a page that produces, all it waits for': { parts: ['producer-engine'], atMost: 44 },
  'a page that reads, all it waits for': { parts: ['fetcher'], atMost: 48 },
  'a page that consumes in a group, all it waits for': { parts: ['consumer-engine'], atMost: 62 },
  'the client in a page, with all that is fetched behind connect': {
    parts: ['producer-engine', 'fetcher', 'consumer-engine', 'latest'],
    atMost: 70,
  },
};

export async function run(): Promise<void> {
  measureClient(await bundle('milena.browser.js'));
  measureWeb(await bundle('web.js'));
}

function measureClient({ first, later }: Bundle): void {
  const kernelsBytes = gzipped(readFileSync(join(ROOT, 'build', 'kernels.wasm')));
  const firstBytes = kernelsBytes + sizeOf([...first]);
  kilobytes('the client in a page, with its kernels', firstBytes, { atMost: 35 });
  kilobytes('of it the kernels', kernelsBytes);
  reportLater('the client in a page', { first, later });
  for (const [page, { parts, atMost }] of Object.entries(PAGES)) {
    const chunks = parts.flatMap((part) => [...partOf(later, part)]);
    kilobytes(page, kernelsBytes + sizeOf([...new Set([...first, ...chunks])]), { atMost });
  }
}

function partOf(later: Bundle['later'], name: string): ReadonlySet<Chunk> {
  const part = later.get(name);
  if (part === undefined) throw new Error(`there is no part ${name}, but ${[...later.keys()].join(', ')}`);
  return part;
}

function measureWeb({ first, later }: Bundle): void {
  kilobytes('milena/web', sizeOf([...first]), { atMost: 12 });
  reportLater('milena/web', { first, later });
}

/** Of each part what is not there already. */
function reportLater(whose: string, { first, later }: Bundle): void {
  for (const [name, chunks] of later)
    kilobytes(
      `${whose}: ${name}, when it is asked for`,
      sizeOf([...chunks].filter((chunk) => !first.has(chunk))),
    );
}

function kilobytes(what: string, bytes: number, bar?: { atMost: number }): void {
  report({ bench: `bundle, gzip: ${what}`, value: bytes / 1024, unit: 'KB', ...(bar && { bar }) });
}

/** A page in which all is used that an entry of the package exports. */
async function bundle(entry: string): Promise<Bundle> {
  const result = await build({
    configFile: false,
    root: LIB,
    logLevel: 'error',
    // As for a server, since vite puts code of its own into a page; but for what runs in a page.
    ssr: { noExternal: true, resolve: { conditions: ['browser', 'module', 'default'] } },
    build: {
      ssr: true,
      write: false,
      minify: true,
      target: 'es2023',
      rollupOptions: {
        input: join(LIB, entry),
        preserveEntrySignatures: 'strict',
        output: { chunkFileNames: ({ name }) => `${name.replace(/^browser-/, '')}.js` },
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as Rolldown.RolldownOutput;
  const chunks = new Map<string, Chunk>();
  for (const one of output) if (one.type === 'chunk') chunks.set(one.fileName, one);
  const entryChunk = [...chunks.values()].find(({ isEntry }) => isEntry);
  if (entryChunk === undefined) throw new Error(`${entry} makes no script`);
  const first = withImports([entryChunk], chunks);
  const parts = new Set([...first].flatMap(({ dynamicImports }) => dynamicImports));
  const part = (name: string) => withImports([chunks.get(name)!], chunks);
  return {
    first,
    later: new Map(Array.from(parts, (name) => [name.replace(/\.js$/, ''), part(name)])),
  };
}

/** They and what they import, without waiting for more. */
function withImports(some: readonly Chunk[], chunks: ReadonlyMap<string, Chunk>): Set<Chunk> {
  const all = new Set(some);
  for (const chunk of all) {
    for (const name of chunk.imports) {
      const imported = chunks.get(name);
      if (imported !== undefined) all.add(imported);
    }
  }
  return all;
}

/** Each file is packed by itself, as servers do. */
function sizeOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipped(code), 0);
}

function gzipped(text: string | Uint8Array): number {
  return gzipSync(text, { level: 9 }).length;
}
