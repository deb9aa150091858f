import { remoteStorageContract } from './contract.ts';
import { MemoryRemote } from './memory-remote.ts';

remoteStorageContract('memory', async () => new MemoryRemote());
