import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MemoryFiles } from './memory-files.ts';

/** What a directory of this machine holds, in memory under `directory`, durable. */
export async function inMemory(source: string, directory: string): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const parent = join(directory, relative(source, entry.parentPath));
    await files.makeDirectory(entry.isFile() ? parent : join(parent, entry.name));
    if (!entry.isFile()) continue;
    const path = join(parent, entry.name);
    await files.open(path, { create: true });
    files.replace(path, new Uint8Array(await readFile(join(entry.parentPath, entry.name))));
  }
  files.sync();
  return files;
}
