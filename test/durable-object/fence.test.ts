import { afterAll, expect, test } from 'vitest';
import { ObjectState } from '../../src/hosts/durable-object/object-state.ts';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import { append, logName, offsetsOf } from '../storage/batches.ts';
import { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';

const databases = new Databases();
afterAll(() => databases.remove());
const { log } = logName(1);

test('two instances of one object: the one that was replaced writes nothing more', async () => {
  const database = new NodeSqlite(databases.path());
  const instance = async (name: string) => {
    const state = new ObjectState(database, name);
    const store = new SqliteLogStore(database, { onWrite: () => state.checkFence() });
    await store.commit([{ type: 'create', ...logName(1) }]);
    await store.open(log);
    return store;
  };
  const stale = await instance('first');
  await stale.commit([append({ log, baseOffset: 0 })]);
  const owner = await instance('second');
  await owner.commit([append({ log, baseOffset: 1 })]);
  await expect(stale.commit([append({ log, baseOffset: 1 })])).rejects.toThrow('another instance');
  await owner.commit([append({ log, baseOffset: 2 })]);
  const read = await owner.read(log, { fromOffset: 0, endOffset: 9, maxBytes: 9_999 });
  expect(offsetsOf(read).map(([baseOffset]) => baseOffset)).toEqual([0, 1, 2]);
});
