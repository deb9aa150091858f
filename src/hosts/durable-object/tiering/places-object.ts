import type { RemoteStorage, TieredAnswer } from '../../../ports/remote-storage.ts';

/** What a shard says of all that is in remote storage alone, to whoever has not asked it. */
export type Places = Omit<TieredAnswer, 'place'>;

/** As much as is read of one: some 40,000 segments. */
const READ_MAX_BYTES = 8 * 1024 * 1024;

/** Beside the segments of a partition: an object that says where they are, written anew when that changes, as JSON. */
export async function writePlaces(storage: RemoteStorage, key: string, places: Places): Promise<void> {
  await storage.replace(key, new TextEncoder().encode(JSON.stringify({ version: 1, ...places })));
}

/** It, as it was written last; undefined when there is none, or none that this version can read. */
export async function readPlaces(storage: RemoteStorage, key: string): Promise<Places | undefined> {
  const bytes = await storage.get(key, { offset: 0, length: READ_MAX_BYTES });
  if (bytes === undefined || bytes.length === READ_MAX_BYTES) return undefined;
  const { version, ...places } = JSON.parse(new TextDecoder().decode(bytes)) as Places & { version: number };
  return version === 1 ? places : undefined;
}
