import { WIDE_FILES } from './sizes.ts';
import { type Fault, type Source, faultsOf } from './source.ts';

interface Ban {
  /** What may not stand in the code (comments and strings do not count). */
  pattern: RegExp;
  /** Folders or files it is banned from, and those of them where it is not. */
  from: readonly string[];
  except?: readonly string[];
  instead: string;
}

const PURE = [
  'src/model/',
  'src/ports/',
  'src/kernels/',
  'src/wire/',
  'src/records/',
  'src/metadata/',
  'src/group/',
  'src/txn/',
  'src/security/',
];
/** They act, but only through ports: a seed must reproduce a run of them too. */
const DRIVEN = [
  'src/segments/',
  'src/log/',
  'src/shard/',
  'src/gateway/',
  'src/sasl/',
  'src/broker/',
  'src/client/',
  'src/hosts/sim/',
];
const CORE = [...PURE, ...DRIVEN];
/** The loader of the kernels is the platform's end of the core. */
const LOADER = [
  'src/kernels/load.ts',
  'src/kernels/module.node.ts',
  'src/kernels/module.browser.ts',
  'src/kernels/module.workerd.ts',
];

export const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\b/g,
    from: CORE,
    instead: 'take `nowMs` as an argument, or ask the Clock of src/ports/clock.ts',
  },
  { pattern: /\bperformance\s*\./g, from: CORE, instead: 'measure in a host or in test/bench' },
  {
    pattern: /\bMath\.random\b|\bcrypto\s*\./g,
    from: CORE,
    instead: 'use the Random of src/ports/random.ts',
  },
  {
    pattern: /\b(?:set|clear)(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\brequestIdleCallback\b/g,
    from: CORE,
    instead: 'name a deadline: `wakeAtMs` of a machine, or `Clock.at` of src/ports/clock.ts',
  },
  {
    pattern: /(?<=[=(,[?:&|!>]\s*|\b(?:await|return|void)\s+)fetch\(/g,
    from: CORE,
    except: LOADER,
    instead: 'ask through a port of src/ports',
  },
  {
    pattern: /\bprocess\s*\.|\bBuffer\b|\b__dirname\b|\brequire\s*\(/g,
    from: CORE,
    instead: "the core runs where Node does not: use Uint8Array and DataView, and the host's ports",
  },
  {
    pattern: /\b(?:globalThis|window|document|navigator|localStorage|indexedDB)\b(?!\s*:)/g,
    from: CORE,
    instead: 'hand it in from the host through a port',
  },
  {
    pattern: /\bconsole\s*\./g,
    from: [...CORE, 'src/hosts/'],
    instead: 'call the Log of src/ports/log.ts: what a person reads is printed by src/cli',
  },
  {
    pattern: /\b(?:async|await)\b|\bPromise\b/g,
    from: PURE,
    // Ports describe what waits; a codec may have to be loaded.
    except: [...LOADER, 'src/ports/', 'src/records/codecs.ts', 'src/records/batch.ts'],
    instead:
      'decide at once from arguments and return data; what waits belongs to src/log, src/shard or a host',
  },
  {
    pattern: /\beval\s*\(|\bnew\s+Function\b|(?<![\w.])Function\s*\(/g,
    from: ['src/', 'workers/', 'test/', 'vite.config.ts'],
    instead: 'build closures: Workers and strict pages forbid code from strings',
  },
  {
    pattern: /\.(?:skip|only|todo)\s*\(|\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*\(/g,
    from: ['test/'],
    instead: 'a test runs, or is not there',
  },
];

/** `skip` of a byte cursor is a method too; only what a test runner offers counts. */
const TEST_CALL = /\b(?:test|it|describe|suite|bench)\b[\w.()[\]]*$/;

export function checkBans(source: Source): Fault[] {
  return BANS.filter(
    ({ from, except = [] }) => applies(source.path, from) && !applies(source.path, except),
  ).flatMap(({ pattern, instead }) =>
    faultsOf(source, source.code, pattern, (match) => ({
      rule: isOfTestRunner(source, match) ? `${match[0].trim()} is banned here` : '',
      instead,
    })).filter(({ rule }) => rule !== ''),
  );
}

function isOfTestRunner(source: Source, match: RegExpExecArray): boolean {
  return !match[0].startsWith('.') || TEST_CALL.test(source.code.slice(0, match.index));
}

function applies(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place)));
}

/** Words are given in two parts, so that this file does not find itself. */
function anyOf(...words: readonly (readonly [string, string])[]): string {
  return `(?:${words.map((parts) => parts.join('')).join('|')})`;
}

const UNFINISHED = new RegExp(`\\b${anyOf(['TO', 'DO'], ['FIX', 'ME'], ['XX', 'X'])}\\b`, 'g');
const SILENCED = new RegExp(
  `@ts-${anyOf(['ig', 'nore'], ['no', 'check'], ['expect-', 'error'])}|` +
    `(?:oxlint|eslint|oxfmt|prettier)-${anyOf(['dis', 'able'], ['ig', 'nore'])}`,
  'g',
);
/** Hosts of package registries: the lock file and we ourselves take what npm is set to. */
const REGISTRY = new RegExp(
  `\\b${anyOf(
    ['registry\\.', '\\w+\\.\\w+'],
    ['npm', 'mirror'],
    ['npm\\.', 'pkg'],
    ['arti', 'factory'],
    ['un', 'pkg'],
  )}\\b`,
  'g',
);

/** What may stand nowhere, comments included. */
export function checkComments(source: Source): Fault[] {
  return [
    ...faultsOf(source, source.text, UNFINISHED, ([word]) => ({
      rule: `${word} marks work that is not done`,
      instead: 'do it, or write an issue',
    })),
    ...faultsOf(source, source.text, SILENCED, ([word]) => ({
      rule: `${word} silences a check`,
      instead: 'write what the check wants',
    })).filter(({ line }) => !maySilence(source, line)),
    ...checkHosts(source),
  ];
}

/**
 * AssemblyScript decorates functions, which editors do not know; a test of types expects an error, and fails without
 * one; a table keeps its columns.
 */
function maySilence({ path, text }: Source, line: number): boolean {
  const said = (text.split('\n')[line - 1] ?? '').trim();
  if (path.startsWith('assembly/')) return said.endsWith(': decorator');
  if (path.startsWith('test/')) return said.startsWith(`// @ts-${'expect'}`);
  return WIDE_FILES[path] !== undefined && said.startsWith('// prettier');
}

export function checkHosts(source: Source): Fault[] {
  return faultsOf(source, source.text, REGISTRY, ([host]) => ({
    rule: `${host} names a package registry`,
    instead: 'leave it to npm and its settings (.npmrc keeps addresses out of the lock file)',
  }));
}
