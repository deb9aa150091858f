import { afterAll } from 'vitest';
import { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';
import { sqliteSuite } from './suite.ts';

const databases = new Databases();
afterAll(() => databases.remove());

sqliteSuite('SQLite', async (body) => {
  const database = new NodeSqlite(databases.path());
  await body(database);
  await database.confirmed();
  database.close();
});
