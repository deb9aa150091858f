import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { SegmentStore } from '../../src/segments/store.ts';
import { kernels } from './batches.ts';
import { storageContract } from './contract.ts';
import type { StoreHome } from './contract.ts';
import { MemoryFiles } from './memory-files.ts';
import { storageModel } from './model.ts';

const identity = { clusterId: 'cluster', nodeId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
const roots: string[] = [];
afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true }))));

const memory = async (): Promise<StoreHome> => ({ keeps: false, open: async () => new MemoryLogStore() });

async function realFiles(): Promise<StoreHome> {
  const root = await mkdtemp(join(tmpdir(), 'milena-storage-'));
  roots.push(root);
  const files = new NodeFiles();
  const options = { files, directory: `${root}/data`, kernels, identity, flush: 'never' as const };
  return { keeps: true, open: () => SegmentStore.open(options) };
}

function segmentHome(options: { tailBytes?: number; indexBytes?: number; indexIntervalBytes?: number }) {
  return async (): Promise<StoreHome> => {
    const files = new MemoryFiles();
    const all = { files, directory: '/data', kernels, identity, flush: 'always' as const, ...options };
    return { keeps: true, open: () => SegmentStore.open(all) };
  };
}

/** Nothing stays in memory longer than it must, and indexes are dense. */
const bare = { tailBytes: 0, indexBytes: 0, indexIntervalBytes: 100 };

storageContract('memory store', memory);
storageContract('segments', segmentHome({}));
storageContract('segments without a tail', segmentHome(bare));
storageContract('segments on real files', realFiles);

storageModel('memory store', memory);
storageModel('segments', segmentHome({}));
storageModel('segments without a tail', segmentHome(bare), 300);
storageModel('segments with a small tail', segmentHome({ tailBytes: 8000, indexIntervalBytes: 100 }), 300);
storageModel('segments on real files', realFiles, 10);
