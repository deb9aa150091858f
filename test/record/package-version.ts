import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of a package among our dependencies; undefined when it is not installed. */
export async function packageVersion(name: string): Promise<string | undefined> {
  const path = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
