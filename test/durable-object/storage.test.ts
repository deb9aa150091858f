import { afterAll } from 'vitest';
import { storageContract } from '../storage/contract.ts';
import { crashContract } from '../storage/crash.ts';
import { storageModel } from '../storage/model.ts';
import { Databases, sqliteCrashHome, sqliteHome } from './node-home.ts';

const databases = new Databases();
afterAll(() => databases.remove());

storageContract('SQLite', sqliteHome(databases));
storageContract('SQLite without a tail', sqliteHome(databases, { tailBytes: 0 }));
storageModel('SQLite', sqliteHome(databases));
storageModel('SQLite without a tail', sqliteHome(databases, { tailBytes: 0 }));
crashContract('SQLite', sqliteCrashHome(databases), { scripts: 4, commitsMax: 8, sequences: 40 });
