import type { RemoteObject, RemoteStorage } from '../../../ports/remote-storage.ts';

/** As much of a bucket of R2 as is used: a binding of a Worker is one. */
export interface Bucket {
  put(
    key: string,
    value: Uint8Array,
    options?: { onlyIf: { etagDoesNotMatch: string } },
  ): Promise<{ key: string } | null>;
  head(key: string): Promise<{ size: number } | null>;
  get(
    key: string,
    options: { range: { offset: number; length: number } },
  ): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  list(options: { prefix: string; startAfter?: string }): Promise<{
    objects: readonly { key: string; uploaded: Date }[];
  }>;
  delete(keys: string[]): Promise<void>;
}

/** R2 deletes so many at once. */
const DELETE_MAX = 1_000;

export function r2Storage(bucket: Bucket): RemoteStorage {
  return {
    async put(key, bytes) {
      const put = await bucket.put(key, bytes, { onlyIf: { etagDoesNotMatch: '*' } });
      return put === null ? 'exists' : 'created';
    },
    async replace(key, bytes) {
      await bucket.put(key, bytes);
    },
    async sizeOf(key) {
      return (await bucket.head(key))?.size;
    },
    async get(key, range) {
      const object = await bucket.get(key, { range });
      return object === null ? undefined : new Uint8Array(await object.arrayBuffer());
    },
    async list(prefix, after): Promise<RemoteObject[]> {
      const { objects } = await bucket.list({ prefix, ...(after !== undefined && { startAfter: after }) });
      return objects.map(({ key, uploaded }) => ({ key, uploadedMs: uploaded.getTime() }));
    },
    async delete(keys) {
      for (let at = 0; at < keys.length; at += DELETE_MAX)
        await bucket.delete(keys.slice(at, at + DELETE_MAX));
    },
  };
}
