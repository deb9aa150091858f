import { crashContract } from '../storage/crash.ts';
import { objectCrashHome } from './sqlite-home.ts';

crashContract('SQLite in an object', objectCrashHome, { scripts: 2, commitsMax: 4, sequences: 5 });
