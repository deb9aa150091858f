import { storageContract } from '../storage/contract.ts';
import { storageModel } from '../storage/model.ts';
import { inObject, objectHome } from './sqlite-home.ts';

storageContract('SQLite in an object', objectHome, inObject);
storageModel('SQLite in an object', objectHome, 30, inObject);
