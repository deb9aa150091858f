import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { ROOT } from '../cli/milena.ts';
import { report } from './harness.ts';

/** What a page loads before it can do anything, and what comes when it is asked for. */
interface Bundle {
  firstBytes: number;
  /** By name: only what is not loaded already. */
  later: ReadonlyMap<string, number>;
}

type Chunk = Rolldown.OutputChunk;

export async function run(): Promise<void> {
  const kernelsBytes = gzipped(readFileSync(join(ROOT, 'build', 'kernels.wasm')));
  const client = await bundle('src/hosts/web/index.ts');
  const first = client.firstBytes + kernelsBytes;
  kilobytes('the client in a page, with its kernels', first, { atMost: 35 });
  kilobytes('of it the kernels', kernelsBytes);
  for (const [name, bytes] of client.later)
    kilobytes(`the client in a page: ${name}, when it is asked for`, bytes);
  const web = await bundle('src/web/index.ts');
  kilobytes('milena/web', web.firstBytes, { atMost: 12 });
  for (const [name, bytes] of web.later) kilobytes(`milena/web: ${name}, when it is asked for`, bytes);
}

function kilobytes(what: string, bytes: number, bar?: { atMost: number }): void {
  report({ bench: `bundle, gzip: ${what}`, value: bytes / 1024, unit: 'KB', ...(bar && { bar }) });
}

/** Everything that the entry exports is used. */
async function bundle(entry: string): Promise<Bundle> {
  const result = await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    // As for a server, since vite puts code of its own into a page; but for what runs in a page.
    ssr: { noExternal: true, resolve: { conditions: ['browser', 'module', 'default'] } },
    build: {
      ssr: true,
      write: false,
      minify: true,
      target: 'es2023',
      rollupOptions: { input: join(ROOT, entry), preserveEntrySignatures: 'strict' },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as Rolldown.RolldownOutput;
  const chunks = new Map<string, Chunk>();
  for (const one of output) if (one.type === 'chunk') chunks.set(one.fileName, one);
  const entryChunk = [...chunks.values()].find(({ isEntry }) => isEntry);
  if (entryChunk === undefined) throw new Error(`${entry} makes no script`);
  const first = withImports([entryChunk], chunks);
  const later = [...first].flatMap(({ dynamicImports }) => dynamicImports.map((name) => chunks.get(name)));
  return {
    firstBytes: sizeOf([...first]),
    later: new Map(
      later.map((chunk) => {
        const all = chunk === undefined ? new Set<Chunk>() : withImports([chunk], chunks);
        return [chunk?.name ?? '', sizeOf([...all].filter((one) => !first.has(one)))];
      }),
    ),
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
