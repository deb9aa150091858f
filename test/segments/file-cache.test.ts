import { expect, test } from 'vitest';
import { FileCache } from '../../src/segments/file-cache.ts';
import { MemoryFiles } from '../storage/memory-files.ts';

test('closes what was not used since the last look, and nothing that is in use', async () => {
  const cache = new FileCache(new MemoryFiles(), 3);
  const touch = (path: string) => cache.use(path, async () => {}, true);
  for (const path of ['a', 'b', 'c']) await touch(path);
  expect(cache.opened('a')).toBeDefined();
  await touch('d');
  const open = ['a', 'b', 'c', 'd'].filter((path) => cache.opened(path) !== undefined);
  expect(open).toEqual(['a', 'c', 'd']);
  await cache.use('c', async () => {
    for (const path of ['e', 'f', 'g', 'h', 'i']) await touch(path);
    expect(cache.opened('c')).toBeDefined();
  });
  expect(['a', 'd', 'e', 'f', 'g', 'h', 'i'].filter((path) => cache.opened(path) !== undefined)).toHaveLength(
    2,
  );
});
