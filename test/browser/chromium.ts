import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHROMIUM_FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What IndexedDB stands on, and the flags that choose it. */
export const BACK_ENDS = {
  leveldb: ['--disable-features=IdbSqliteBackingStore'],
  sqlite: ['--enable-features=IdbSqliteBackingStore'],
} as const;
export type BackEnd = keyof typeof BACK_ENDS;

/** One a process: each load of `vite.config.ts` has a copy of this module, and they load side by side. */
const PROCESS: { milenaChromium?: Promise<string> } = globalThis as object;

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

/**
 * Path of a Chromium: `MILENA_CHROMIUM`, a system one, else the one inside the npm package @sparticuz/chromium
 * (linux x64), which unpacks itself to a private temporary folder (it reuses what it finds there, whole or not).
 * @throws when there is none: a test project that silently vanished would look like one that passed.
 */
export async function findChromium(): Promise<string> {
  const named = process.env['MILENA_CHROMIUM'];
  if (named) return named;
  const system = SYSTEM.find((path) => existsSync(path));
  if (system) return system;
  if (process.platform === 'linux' && process.arch === 'x64') {
    PROCESS.milenaChromium ??= unpackedInto(join(tmpdir(), `milena-chromium-${process.getuid?.() ?? 0}`));
    return PROCESS.milenaChromium;
  }
  throw new Error(
    'No Chromium found: install one and set MILENA_CHROMIUM to its path, then run the tests again.',
  );
}

/** The package knows no folder but the temporary one of the process, which is its own again afterwards. */
async function unpackedInto(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    return await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}
