import { dirname, normalize } from 'node:path';
import { type Fault, type Source, fault, faultsOf, lineAt } from './source.ts';

/** What every room that acts may use: all of them decide, none of them acts. */
const LEFT = [
  'src/model',
  'src/ports',
  'src/kernels',
  'src/wire',
  'src/records',
  'src/metadata',
  'src/group',
  'src/txn',
  'src/share',
  'src/security',
  'src/quota',
] as const;
const CORE = [...LEFT, 'src/sasl', 'src/log', 'src/segments', 'src/shard', 'src/gateway'] as const;

/**
 * The map as data: each room, and all it may import beside itself (a folder, or one file). It is the table of
 * ARCHITECTURE.md. Think first before a row gets longer; a row that points from left to right is never right.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  assembly: [],
  'src/model': [],
  'src/ports': ['src/model'],
  'src/kernels': ['src/model', 'build/kernels.wasm'],
  'src/wire': ['src/model'],
  'src/records': ['src/model', 'src/kernels'],
  'src/security': ['src/model'],
  'src/quota': ['src/model'],
  'src/metadata': ['src/model', 'src/wire', 'src/security', 'src/quota'],
  'src/group': ['src/model', 'src/wire'],
  'src/txn': ['src/model', 'src/wire'],
  'src/share': ['src/model', 'src/wire'],
  'src/segments': ['src/model', 'src/ports', 'src/records', 'src/kernels'],
  'src/log': ['src/model', 'src/ports', 'src/records', 'src/kernels'],
  'src/shard': [...LEFT, 'src/log'],
  'src/sasl': ['src/model', 'src/ports'],
  'src/gateway': [...LEFT, 'src/sasl'],
  'src/broker': CORE,
  'src/client': ['src/model', 'src/ports', 'src/wire', 'src/records', 'src/kernels', 'src/sasl'],
  // Of the manifest the version.
  'src/hosts/node': [...CORE, 'src/broker', 'src/client', 'package.json'],
  'src/hosts/sim': [...CORE, 'src/broker'],
  // Where a key belongs is a client's choice.
  'src/hosts/durable-object': [...CORE, 'src/broker', 'src/hosts/web', 'src/client/producer/partitioner.ts'],
  'src/hosts/browser': [...CORE, 'src/hosts/web'],
  // What Workers and pages have in common.
  'src/hosts/web': [
    'src/model',
    'src/ports',
    'src/kernels',
    'src/wire',
    'src/records',
    'src/client',
    'src/sasl/web-crypto.ts',
    'node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm',
  ],
  // Of the core what a command reads, says and checks; what runs is the host's.
  'src/cli': [
    'src/hosts/node',
    'src/client',
    'src/model',
    'src/ports',
    'src/kernels',
    'src/wire',
    'src/records',
    'src/metadata/configs',
    'src/metadata/internal-topics.ts',
    'src/segments/layout.ts',
    'src/segments/stored-topics.ts',
    'package.json',
  ],
  // What a client's page or process loads: no broker comes with it.
  'src/kafkajs': [],
  // Small enough for any page: no kernel and no schema comes with it, and of the client what stands by itself.
  'src/web': [
    'src/model',
    'src/ports',
    'src/kernels/twin-lz.ts',
    'src/kernels/twins/crc32c.ts',
    'src/records',
    'src/client/milena-error.ts',
    'src/client/producer/partitioner.ts',
    'src/client/transports/web-socket.ts',
    'src/hosts/web/clock.ts',
    'src/hosts/web/streamed.ts',
  ],
  'src/react': ['src/web'],
  workers: ['src/kernels', 'src/hosts/durable-object'],
};

/** Packages and platform modules, and the rooms or files that may name them. In `test` anything goes. */
const OUTSIDE: readonly { module: RegExp; allowedIn: readonly string[] }[] = [
  { module: /^node:/, allowedIn: ['src/hosts/node', 'src/cli', 'src/kafkajs', 'src/kernels/module.node.ts'] },
  { module: /^cloudflare:workers$/, allowedIn: ['workers'] },
  { module: /^ws$/, allowedIn: ['src/hosts/node'] },
  { module: /^jose$/, allowedIn: ['src/hosts/node/security'] },
  { module: /^citty$/, allowedIn: ['src/cli'] },
  { module: /^(?:@modelcontextprotocol\/server(?:\/stdio)?|zod\/v4)$/, allowedIn: ['src/cli/mcp'] },
  { module: /^idb$/, allowedIn: ['src/hosts/browser'] },
  // Loaded where a process has set it up, and never put into the package.
  { module: /^@opentelemetry\/api$/, allowedIn: ['src/hosts/node/tracing.ts'] },
  { module: /^react$/, allowedIn: ['src/react'] },
  { module: /^#zstd-module$/, allowedIn: ['src/hosts/web/zstd.ts'] },
  { module: /^#kernels-module$/, allowedIn: ['src/kernels/load.ts'] },
];

/** Not the core, not a room: the house's own tools. */
const FREE = /^(?:test\/|\.ci\/|[^/]+$)/;

/** Imports, re-exports, `import()` as a type and at run time. */
const IMPORT = new RegExp(
  [
    /\b(?:import|export)\b[^;'"`()]*?\bfrom\s*(?<open>['"])(?<from>[^'"]+)\k<open>/,
    // At the start of a line, or called: a string that ends with the word is none.
    /(?:^\s*import\s*|\bimport\s*\(\s*)(?<quote>['"])(?<bare>[^'"]+)\k<quote>/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gm',
);

export function roomOf(path: string): string {
  const [top = '', second = '', third = ''] = path.split('/');
  if (top !== 'src') return top;
  return second === 'hosts' ? `src/hosts/${third}` : `src/${second}`;
}

export function checkImports(source: Source): Fault[] {
  if (FREE.test(source.path)) return [];
  const room = roomOf(source.path);
  const allowed = ROOMS[room];
  if (allowed === undefined && source.path.split('/').length > 2) {
    return [fault(source, 1, `room ${room} is not on the map`, 'give it a row in test/tidy/rooms.ts')];
  }
  const faults = Array.from(source.uncommented.matchAll(IMPORT), (match) => {
    const module = match.groups?.['from'] ?? match.groups?.['bare'] ?? '';
    const line = lineAt(source.uncommented, match.index + match[0].length);
    return module.startsWith('.')
      ? checkRelative(source, { module, line, room, allowed: allowed ?? [] })
      : checkOutside(source, module, line);
  });
  const computed = faultsOf(source, source.uncommented, /\bimport\s*\((?!\s*['"])/g, () => ({
    rule: 'an import that is computed cannot be checked',
    instead: 'name the module in a string',
  }));
  return [...faults.flat(), ...computed];
}

function checkRelative(
  source: Source,
  { module, line, room, allowed }: { module: string; line: number; room: string; allowed: readonly string[] },
): Fault[] {
  const target = normalize(`${dirname(source.path)}/${module}`).replace(/\?.*$/, '');
  if (roomOf(target) === room || allowed.some((entry) => target === entry || target.startsWith(`${entry}/`)))
    return [];
  const list = allowed.length === 0 ? 'nothing' : allowed.join(', ');
  return [
    fault(
      source,
      line,
      `${room} may not import ${target}`,
      `it may use ${list}; pass the rest in as data or a port, or move the code to the side that acts`,
    ),
  ];
}

function checkOutside(source: Source, module: string, line: number): Fault[] {
  const entry = OUTSIDE.find((outside) => outside.module.test(module));
  const allowedIn = entry?.allowedIn ?? [];
  if (allowedIn.some((place) => source.path === place || source.path.startsWith(`${place}/`))) return [];
  const where = allowedIn.length === 0 ? 'nowhere but in test' : `only in ${allowedIn.join(', ')}`;
  return [
    fault(
      source,
      line,
      `${module} is allowed ${where}`,
      'reach it through a port of src/ports that the host implements',
    ),
  ];
}
