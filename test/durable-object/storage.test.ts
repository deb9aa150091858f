import { afterAll } from 'vitest';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { storageContract } from '../storage/contract.ts';
import { crashContract } from '../storage/crash.ts';
import { storageModel } from '../storage/model.ts';
import { Databases, sqliteCrashHome, sqliteHome } from './node-home.ts';

const databases = new Databases();
afterAll(() => databases.remove());

storageContract('SQLite', sqliteHome(databases));
storageContract('SQLite without a tail', sqliteHome(databases, { tailBytes: 0 }));
/** Whoever waits for one commit waits for the next turn at least: more than one append shares a row. */
const linger = { clock: nodeClock, ms: 1, maxBytes: 64 * 1024 };
storageContract('SQLite that lingers', sqliteHome(databases, { linger }));
storageModel('SQLite', sqliteHome(databases));
storageModel('SQLite that lingers', sqliteHome(databases, { tailBytes: 0, linger }));
storageModel('SQLite without a tail', sqliteHome(databases, { tailBytes: 0 }));
crashContract('SQLite', sqliteCrashHome(databases), { scripts: 4, commitsMax: 8, sequences: 40 });
crashContract('SQLite that lingers', sqliteCrashHome(databases, { options: { linger } }), {
  scripts: 2,
  commitsMax: 8,
  sequences: 10,
});
