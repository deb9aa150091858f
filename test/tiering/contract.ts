import { describe, expect, test } from 'vitest';
import type { RemoteStorage } from '../../src/ports/remote-storage.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** What tiering relies on, of every object store. @param fresh an empty one. */
export function remoteStorageContract(name: string, fresh: () => Promise<RemoteStorage>): void {
  describe(`${name}: remote storage`, () => {
    test('keeps an object as it was written first', async () => {
      const storage = await fresh();
      expect(await storage.put('a/1', bytes(1, 2, 3))).toBe('created');
      expect(await storage.put('a/1', bytes(9))).toBe('exists');
      expect(await storage.sizeOf('a/1')).toBe(3);
      expect(await storage.get('a/1', { offset: 0, length: 3 })).toEqual(bytes(1, 2, 3));
    });

    test('keeps an object that is replaced as it was written last', async () => {
      const storage = await fresh();
      await storage.replace('a/1', bytes(1, 2, 3));
      await storage.replace('a/1', bytes(9));
      expect(await storage.get('a/1', { offset: 0, length: 3 })).toEqual(bytes(9));
      expect(await storage.put('a/1', bytes(2))).toBe('exists');
    });

    test('of two that write one key at once one has written it', async () => {
      const storage = await fresh();
      const outcomes = await Promise.all([storage.put('a/1', bytes(1)), storage.put('a/1', bytes(2))]);
      expect(outcomes.toSorted()).toEqual(['created', 'exists']);
      const [only] = (await storage.get('a/1', { offset: 0, length: 1 })) ?? [];
      expect(only).toBe(outcomes[0] === 'created' ? 1 : 2);
    });

    test('gives a part, and what there is of one that ends behind it', async () => {
      const storage = await fresh();
      await storage.put('a/1', bytes(1, 2, 3, 4));
      expect(await storage.get('a/1', { offset: 1, length: 2 })).toEqual(bytes(2, 3));
      expect(await storage.get('a/1', { offset: 3, length: 10 })).toEqual(bytes(4));
    });

    test('says so where there is none', async () => {
      const storage = await fresh();
      expect(await storage.sizeOf('none')).toBeUndefined();
      expect(await storage.get('none', { offset: 0, length: 1 })).toBeUndefined();
      expect(await storage.list('none')).toEqual([]);
      await storage.delete(['none']);
    });

    test('lists by prefix, in the order of keys, behind one', async () => {
      const storage = await fresh();
      for (const key of ['a/2', 'b/1', 'a/1', 'a/10']) await storage.put(key, bytes(1));
      const listed = await storage.list('a/');
      expect(listed.map(({ key }) => key)).toEqual(['a/1', 'a/10', 'a/2']);
      for (const { uploadedMs } of listed) expect(uploadedMs).toBeGreaterThan(0);
      expect((await storage.list('a/', 'a/10')).map(({ key }) => key)).toEqual(['a/2']);
    });

    test('deletes some, and whoever writes the key again begins anew', async () => {
      const storage = await fresh();
      for (const key of ['a/1', 'a/2', 'a/3']) await storage.put(key, bytes(1));
      await storage.delete(['a/1', 'a/3', 'none']);
      expect((await storage.list('a/')).map(({ key }) => key)).toEqual(['a/2']);
      expect(await storage.put('a/1', bytes(2))).toBe('created');
    });

    test('takes sixteen megabytes', async () => {
      const storage = await fresh();
      const large = new Uint8Array(16 * 1024 * 1024).fill(7);
      expect(await storage.put('large', large)).toBe('created');
      expect(await storage.sizeOf('large')).toBe(large.length);
      const end = await storage.get('large', { offset: large.length - 5, length: 5 });
      expect(end).toEqual(new Uint8Array(5).fill(7));
    });
  });
}
