import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HANDLERS } from '../src/gateway/handlers/index.ts';
import { APIS } from '../src/wire/registry.ts';
import type { Api } from '../src/wire/schema.ts';
import { checkBans, checkComments, checkHosts } from './tidy/bans.ts';
import { ROOMS, checkImports, roomOf } from './tidy/rooms.ts';
import { FILE_LINES_MAX, LINE_LENGTH_MAX, LONG_FILES, WIDE_FILES, checkSizes } from './tidy/sizes.ts';
import {
  type Fault,
  type Source,
  ROOT,
  describeFault,
  filePaths,
  readSource,
  sourceOf,
} from './tidy/source.ts';

/** The house is kept by rules a machine can read. They get tighter, never looser, to let a change in. */

const PATHS = filePaths();
const SOURCES = PATHS.filter((path) => /\.(?:ts|mjs)$/.test(path)).map(readSource);

const FOLDERS = ['assembly', 'docs', 'src', 'templates', 'test', 'web', 'workers'];
const DOCUMENTS = ['ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'README.md'];
const SETTINGS = ['package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts', 'wrangler.toml'];
const TOP_LEVEL = [...FOLDERS, ...DOCUMENTS, ...SETTINGS];

const ALL_RULES = [checkImports, checkBans, checkComments, checkSizes];

function broken(check: (source: Source) => Fault[], sources: readonly Source[] = SOURCES): string[] {
  return sources.flatMap(check).map(describeFault);
}

describe('the house is tidy', () => {
  test('rooms import only what the map allows', () => {
    expect(broken(checkImports)).toEqual([]);
  });

  test('no program loads the schemas of all APIs', () => {
    const loads = SOURCES.filter(
      ({ path, uncommented }) => !path.startsWith('test/') && /wire\/registry/.test(uncommented),
    );
    expect(loads.map(({ path }) => path)).toEqual([]);
  });

  test('no row of the map is left over', () => {
    const rooms = new Set(PATHS.map(roomOf));
    expect(Object.keys(ROOMS).filter((room) => !rooms.has(room))).toEqual([]);
  });

  test('nothing reaches for what its room may not have', () => {
    expect(broken(checkBans)).toEqual([]);
  });

  test('nothing is unfinished or silenced', () => {
    expect(broken(checkComments)).toEqual([]);
  });

  test('files, functions and lines are short', () => {
    expect(broken(checkSizes)).toEqual([]);
  });

  test('every exemption is needed', () => {
    const isLong = (text: string) => text.split('\n').length > FILE_LINES_MAX;
    const isWide = (text: string) => text.split('\n').some((line) => line.length > LINE_LENGTH_MAX);
    const needless = (exempt: object, needs: (text: string) => boolean) =>
      Object.keys(exempt).filter((path) => !PATHS.includes(path) || !needs(readSource(path).text));
    expect([...needless(LONG_FILES, isLong), ...needless(WIDE_FILES, isWide)]).toEqual([]);
  });

  test('the top level holds what ARCHITECTURE.md names', () => {
    const found = new Set(PATHS.map((path) => path.split('/')[0] ?? ''));
    expect([...found].filter((name) => !name.startsWith('.') && !TOP_LEVEL.includes(name))).toEqual([]);
  });

  test('no file names a package registry', () => {
    const texts = PATHS.filter((path) => /(?:\.(?:json|md|toml|sh|yml|html)|\.npmrc|\/run)$/.test(path));
    expect(broken(checkHosts, texts.map(readSource))).toEqual([]);
  });
});

describe('APIs are files by number', () => {
  const numbered = (folder: string) => readdirSync(join(ROOT, folder)).filter((name) => name !== 'index.ts');
  const fileOf = ({ key, name }: Api) =>
    `${String(key).padStart(2, '0')}-${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.ts`;
  const apiIn = async (path: string) => {
    const exports: unknown[] = Object.values((await import(join(ROOT, path))) as object);
    const named = exports.filter((value) => typeof value === 'object' && value !== null);
    const apis = named.map((value) => ('api' in value ? value.api : value) as Api);
    return apis.find((api) => typeof api.key === 'number');
  };

  test.each(numbered('src/gateway/handlers'))('handlers/%s', async (file) => {
    const api = await apiIn(`src/gateway/handlers/${file}`);
    expect(api && fileOf(api)).toBe(file);
    expect(HANDLERS.map((handler) => handler.api)).toContain(api);
  });

  test.each(numbered('src/wire/apis'))('wire/apis/%s', async (file) => {
    const api = await apiIn(`src/wire/apis/${file}`);
    expect(api && fileOf(api)).toBe(file);
    expect(APIS).toContain(api);
  });
});

describe('the rules catch what they are for', () => {
  const long = (lines: number) => `export function long() {\n${'  work();\n'.repeat(lines - 2)}}\n`;
  const planted: [path: string, text: string, caught: string][] = [
    ['src/wire/a.ts', `import { x } from '../log/x.ts';`, 'src/wire may not import src/log/x.ts'],
    [
      'src/wire/a.ts',
      `export {\n  x,\n} from '../gateway/x.ts';`,
      'src/wire may not import src/gateway/x.ts',
    ],
    ['src/group/a.ts', `const x = await import('../shard/x.ts');`, 'src/group may not import src/shard/x.ts'],
    ['src/group/a.ts', `type X = import('../shard/x.ts').X;`, 'src/group may not import src/shard/x.ts'],
    ['src/group/a.ts', `import '../shard/x.ts';`, 'src/group may not import src/shard/x.ts'],
    ['src/group/a.ts', 'await import(name);', 'computed'],
    [
      'src/gateway/a.ts',
      `import { Shard } from '../shard/shard.ts';`,
      'src/gateway may not import src/shard',
    ],
    [
      'src/hosts/node/a.ts',
      `import { x } from '../browser/x.ts';`,
      'src/hosts/node may not import src/hosts/browser',
    ],
    ['src/cli/a.ts', `import { x } from '../../test/x.ts';`, 'src/cli may not import test/x.ts'],
    [
      'src/cli/a.ts',
      `import { x } from '../metadata/image.ts';`,
      'src/cli may not import src/metadata/image.ts',
    ],
    ['src/attic/a.ts', 'export const x = 1;', 'room src/attic is not on the map'],
    ['src/shard/a.ts', `import { open } from 'node:fs';`, 'node:fs is allowed only in'],
    ['src/hosts/node/a.ts', `import { x } from 'citty';`, 'citty is allowed only in src/cli'],
    ['src/wire/a.ts', `import { x } from 'kafkajs';`, 'kafkajs is allowed nowhere but in test'],
    ['src/log/a.ts', 'const now = Date.now();', 'Date is banned here -> take `nowMs`'],
    ['src/log/a.ts', 'const a = `${Date.now()} ms`;', 'Date is banned here'],
    ['src/group/a.ts', 'const x = Math.random();', 'Math.random is banned here -> use the Random'],
    ['src/gateway/a.ts', 'setTimeout(() => 1, 5);', 'setTimeout is banned here -> name a deadline'],
    ['src/model/a.ts', 'const page = await fetch(url);', 'fetch( is banned here'],
    ['src/records/a.ts', 'Buffer.from(bytes);', 'Buffer is banned here'],
    ['src/shard/a.ts', 'process.exit(1);', 'process. is banned here'],
    ['src/group/a.ts', 'export async function x() {}', 'async is banned here -> decide at once'],
    ['src/wire/a.ts', 'function x(): Promise<void>;', 'Promise is banned here'],
    ['src/cli/a.ts', `const f = new Function('return 1');`, 'new Function is banned here'],
    ['workers/a.ts', `eval('1');`, 'eval( is banned here'],
    ['test/a.test.ts', `test${'.skip'}('x', () => {});`, '.skip( is banned here'],
    ['test/a.test.ts', `test.each([])${'.only'}('x', () => {});`, '.only( is banned here'],
    ['src/log/a.ts', `// ${'TO' + 'DO'}: later`, 'marks work that is not done'],
    ['src/log/a.ts', `// @ts-${'ig' + 'nore'}`, 'silences a check'],
    ['src/log/a.ts', `/* ${'oxlint'}-disable */`, 'silences a check'],
    ['package-lock.json', `"resolved": "https://${'registry'}.npmjs.org/x"`, 'names a package registry'],
    ['src/log/a.ts', 'work();\n'.repeat(401), '401 lines, over 400'],
    ['src/log/a.ts', long(71), 'a function of 71 lines, over 70'],
    [
      'src/log/a.ts',
      `const x = (\n  a: number,\n): void => {\n${'  work();\n'.repeat(70)}};\n`,
      'a function of 74 lines',
    ],
    [
      'src/log/a.ts',
      `class A {\n  m(): { a: 1 } | B {\n${'    work();\n'.repeat(70)}  }\n}\n`,
      'a function of 72 lines',
    ],
    ['src/log/a.ts', `// ${'x'.repeat(118)}`, '121 characters, over 120'],
  ];
  test.each(planted.map(([path, text, caught]) => [path, caught, text] as const))(
    '%s: %s',
    (path, caught, text) => {
      const faults = ALL_RULES.flatMap((check) => check(sourceOf(path, text)));
      expect(faults.map(describeFault).join('\n')).toContain(caught);
    },
  );

  const innocent: [path: string, text: string][] = [
    ['src/log/a.ts', `// Date.now() and setTimeout are not for us\nconst a = 'Date'; // process.exit`],
    ['src/log/a.ts', '/**\n * Buffer\n */\nconst quote = /[\'"`]/; const x = "Date";'],
    ['src/wire/a.ts', `import { invariant } from '../model/assert.ts';\nreader.skip(4);`],
    [
      'src/shard/a.ts',
      `class A {\n  fetch(request: Request): void {\n    this.#reads.fetch(request);\n  }\n}\n`,
    ],
    ['src/log/a.ts', long(70)],
    ['src/log/a.ts', `export class Long {\n${'  field = 1;\n'.repeat(100)}}\n`],
    ['test/a.test.ts', `describe('many', () => {\n${'  test(name, run);\n'.repeat(100)}});\n`],
    ['test/a.test.ts', `import { connect } from 'node:net';`],
  ];
  test.each(innocent)('but not %s: %.40s', (path, text) => {
    const faults = ALL_RULES.flatMap((check) => check(sourceOf(path, text)));
    expect(faults.map(describeFault)).toEqual([]);
  });

  test('a fault says where it is', () => {
    const source = sourceOf('src/log/a.ts', '\n\nconst now = Date.now();');
    expect(checkBans(source).map(describeFault)).toEqual([
      'src/log/a.ts:3: Date is banned here -> take `nowMs` as an argument, or ask the Clock of src/ports/clock.ts',
    ]);
  });
});
