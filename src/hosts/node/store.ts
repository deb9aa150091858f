import type { Kernels } from '../../kernels/kernels.ts';
import { MemoryLogStore } from '../../log/memory-store.ts';
import type { Histogram } from '../../model/histogram.ts';
import type { LogStore } from '../../ports/log-store.ts';
import type { Identity } from '../../segments/data-directory.ts';
import { SegmentStore } from '../../segments/store.ts';
import { NodeFiles } from './files.ts';
import { nodeRandom } from './random.ts';

export interface OpenedStore {
  store: LogStore;
  identity: Identity;
  /** Group commits so far: each is one flush under `flush=always`. */
  commitRounds: () => number;
  /** How long flushes of single files took; undefined where nothing is flushed. */
  flushMs: Histogram | undefined;
}

export interface StoreOptions {
  /** Undefined keeps everything in memory, for as long as the process lives. */
  directory: string | undefined;
  /** `always`: an ack means flushed. `never`: it means handed to the operating system (Kafka's own rule). */
  flush: 'always' | 'never';
  nodeId: number;
  kernels: Kernels;
  onWarning: (message: string) => void;
}

/** Opens the data directory, or makes it. @throws with a message for people when it is locked or not ours. */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { directory, nodeId } = options;
  const identity: Identity = { clusterId: nodeRandom.uuid(), nodeId, directoryId: nodeRandom.uuid() };
  if (directory === undefined)
    return { store: new MemoryLogStore(), identity, commitRounds: () => 0, flushMs: undefined };
  const { flush, kernels, onWarning } = options;
  const files = new NodeFiles();
  const store = await SegmentStore.open({
    files,
    directory,
    flush,
    kernels,
    identity,
    onWarning,
    gather: setImmediate,
  });
  return {
    store,
    identity: store.identity,
    commitRounds: () => store.roundsCompleted,
    flushMs: files.flushMs,
  };
}
