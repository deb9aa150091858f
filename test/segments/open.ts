import { SegmentStore } from '../../src/segments/store.ts';
import type { SegmentStoreOptions } from '../../src/segments/store.ts';
import type { Files } from '../../src/ports/files.ts';
import { kernels } from '../storage/batches.ts';

export const identity = { clusterId: 'cluster', nodeId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
export const DIRECTORY = '/data';

/** Opens the store of `/data`, whose small index interval makes a few batches have entries. */
export function openStore(files: Files, options: Partial<SegmentStoreOptions> = {}): Promise<SegmentStore> {
  return SegmentStore.open({
    files,
    directory: DIRECTORY,
    kernels,
    identity,
    flush: 'always',
    indexIntervalBytes: 200,
    ...options,
  });
}
