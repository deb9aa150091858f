import { afterAll, expect, test } from 'vitest';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import { batch, NAME, NOW, openLog } from '../log/fixtures.ts';
import { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';

const databases = new Databases();
afterAll(() => databases.remove());

const BATCH_BYTES = 500_000;
const BATCHES = 30;

test('an object that wakes reads no more of its log than a few megabytes', async () => {
  const path = databases.path();
  const database = new NodeSqlite(path);
  const store = new SqliteLogStore(database);
  await store.commit([{ type: 'create', ...NAME }]);
  const log = await openLog(store);
  const value = new Uint8Array(BATCH_BYTES);
  for (let written = 0; written < BATCHES; written++) {
    const bytes = batch({ records: [{ timestamp: NOW, value }] });
    const result = log.append(bytes, { leaderEpoch: 0, origin: 'client', nowMs: NOW });
    if (result.type !== 'appended') throw new Error(result.type);
    await store.commit(result.writes);
  }
  await database.confirmed();
  database.close();
  const woken = new SqliteLogStore(new NodeSqlite(path));
  let readBytes = 0;
  const read = woken.read.bind(woken);
  woken.read = (...asked) => {
    const bytes = read(...asked);
    if (bytes instanceof Uint8Array) readBytes += bytes.length;
    return bytes;
  };
  const { logEndOffset } = await openLog(woken);
  expect(logEndOffset).toBe(BATCHES);
  expect(readBytes).toBeGreaterThan(0);
  expect(readBytes).toBeLessThan(woken.replayMaxBytes + 2 * BATCH_BYTES);
});
