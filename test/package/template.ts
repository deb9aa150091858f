import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../cli/milena.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { startWorker } from '../support/workerd.ts';
import type { InstalledPackage } from './install.ts';

const SECRET = 'a secret of thirty-two characters';

/** `templates/cloudflare` beside the installed package, as it stands, in workerd: a record is written and read. */
export async function useTemplate(
  installed: InstalledPackage,
  ticket: (secret: string) => string,
): Promise<string[]> {
  const folder = join(installed.folder, 'template');
  await cp(join(ROOT, 'templates', 'cloudflare'), folder, { recursive: true });
  const example = await readFile(join(folder, '.dev.vars.example'), 'utf8');
  await writeFile(join(folder, '.dev.vars'), example.replace('MILENA_SECRET=', `MILENA_SECRET="${SECRET}"`));
  const worker = await startWorker(join(folder, 'src', 'index.js'), {
    config: join(folder, 'wrangler.toml'),
    persistTo: join(folder, 'state'),
  });
  try {
    const url = `${worker.address}:${worker.port}`;
    const stranger = await fetch(`http://${url}/topics/greetings`, { method: 'POST', body: 'x' });
    const client = await connect(`ws://${url}/kafka?ticket=${ticket(SECRET)}`);
    await client.admin.topics.create('greetings');
    await client.send('greetings', { value: 'hello' });
    const found = [String(stranger.status)];
    for await (const { value } of client.read('greetings', { live: false }))
      found.push(new TextDecoder().decode(value ?? undefined));
    await client.close();
    return found;
  } finally {
    await worker.stop();
  }
}
