import type { StoreParts } from './parts.ts';

/**
 * Makes a log file durable. After a flush that failed, Linux takes for written what it could not write, and the next
 * flush says that all is well: such a file is a suspect until it has been written anew.
 */
export async function flushFile({ files, suspects }: StoreParts, path: string): Promise<void> {
  try {
    await files.use(path, (file) => file.flush());
  } catch (error) {
    suspects.add(path);
    throw error;
  }
}
