import type { Files } from '../ports/files.ts';
import { DRAFT_SUFFIX } from './layout.ts';

/**
 * Replaces a small file whole: a crash leaves the old or the new one. Its name is durable once the directory has
 * been flushed, which is the caller's.
 */
export async function replaceFile(files: Files, path: string, content: Uint8Array): Promise<void> {
  const draft = path + DRAFT_SUFFIX;
  const file = await files.open(draft, { create: true });
  try {
    await file.truncate(0);
    await file.write(0, [content]);
    await file.flush();
  } finally {
    await file.close();
  }
  await files.rename(draft, path);
}
