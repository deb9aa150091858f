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
    const folder = join(tmpdir(), `milena-chromium-${process.getuid?.() ?? 0}`);
    mkdirSync(folder, { recursive: true });
    process.env['TMPDIR'] = folder;
    const { default: chromium } = await import('@sparticuz/chromium');
    return chromium.executablePath();
  }
  throw new Error(
    'No Chromium found: install one and set MILENA_CHROMIUM to its path, then run the tests again.',
  );
}
