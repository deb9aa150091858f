import type { LogName } from '../ports/log-store.ts';
import { logDirectory, segmentBase } from './layout.ts';
import type { StoreParts } from './parts.ts';

/** Bytes of a log's segments as their files have them: it is not open, and need not be. */
export async function sizeOnDisk({ root, disk, files, reads }: StoreParts, name: LogName): Promise<number> {
  const directory = `${root}/${logDirectory(name)}`;
  return reads.run(0, async () => {
    let sizeBytes = 0;
    for (const file of await disk.list(directory)) {
      if (segmentBase(file) === undefined) continue;
      sizeBytes += await files.use(`${directory}/${file}`, (opened) => opened.size());
    }
    return sizeBytes;
  });
}
