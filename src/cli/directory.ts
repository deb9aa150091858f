import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseProperties } from './config/properties.ts';
import { CliError, EXIT } from './errors.ts';

/** Whose data directory it is, by its `meta.properties`. @throws CliError when it is none. */
export async function storedNodeId(directory: string): Promise<number> {
  const path = join(directory, 'meta.properties');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CliError(EXIT.notFound, 'NO_DATA', `${directory} is no data directory: ${error.message}`);
  });
  const nodeId = Number(parseProperties(text).entries.find(({ key }) => key === 'node.id')?.value);
  if (Number.isSafeInteger(nodeId)) return nodeId;
  throw new CliError(EXIT.failure, 'NO_DATA', `${path} names no node.id`);
}
