import { expect, test } from 'vitest';
import { storageContract } from '../../storage/contract.ts';
import { storageModel } from '../../storage/model.ts';
import { backEnd, home, profileFiles } from './home.ts';

const pageSize = { rows: 2, bytes: 1000 };

storageContract('IndexedDB', home());
storageContract('IndexedDB, strict', home({ durability: 'strict' }));
storageContract('IndexedDB without a tail, indexed at once', home({ tailBytes: 0, pageSize }));

storageModel('IndexedDB', home(), 40);
storageModel('IndexedDB with a small tail, indexed at once', home({ tailBytes: 8000, pageSize }), 80);
storageModel('IndexedDB without a tail, indexed at once', home({ tailBytes: 0, pageSize }), 80);

test('the back end is the one that was asked for', async () => {
  const store = await (await home()()).open();
  const files = await profileFiles();
  const shown = {
    leveldb: files.some((path) => /\.indexeddb\.leveldb\/.*\.log$/.test(path)),
    sqlite: files.some((path) => /IndexedDB\/[^/.]+_[^/]+\/[^/]+-wal$/.test(path)),
  };
  expect(shown).toEqual({ leveldb: backEnd === 'leveldb', sqlite: backEnd === 'sqlite' });
  await store.close();
});
