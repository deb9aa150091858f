import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startWorker } from '../support/workerd.ts';
import type { InstalledPackage } from './install.ts';
import { USE } from './use.ts';

/** A user's Worker: a client a request, to the broker that the request names. */
const SCRIPT = `${USE}
export default {
  async fetch(request) {
    const url = new URL(request.url).searchParams.get('url');
    try {
      return Response.json(await use(url, 'from-worker'));
    } catch (error) {
      return Response.json({ failed: String(error) });
    }
  },
};
`;

/** Wrangler bundles the Worker and runs it in workerd. @returns what it answers. */
export async function askWorker(installed: InstalledPackage, broker: string): Promise<unknown> {
  const script = join(installed.folder, 'worker.js');
  await writeFile(script, SCRIPT);
  const worker = await startWorker(script, {
    compatibilityDate: '2026-07-01',
  });
  try {
    const response = await worker.fetch(`http://worker/?${new URLSearchParams({ url: broker })}`);
    return await response.json();
  } finally {
    await worker.stop();
  }
}
