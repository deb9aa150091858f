import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** A browser's profile: a folder of its own that goes with this process. */
export interface Profile {
  path: string;
  /** Paths of all files in it, relative. */
  files(): string[];
}

export function newProfile(): Profile {
  const path = mkdtempSync(join(tmpdir(), 'milena-profile-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  const files = () =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)));
  return { path, files };
}
