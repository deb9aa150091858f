import type { Kernels } from '../../kernels/kernels.ts';
import { MemoryLogStore } from '../../log/memory-store.ts';
import type { Histogram } from '../../model/histogram.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { LogStore } from '../../ports/log-store.ts';
import type { Identity } from '../../segments/data-directory.ts';
import { SegmentStore } from '../../segments/store.ts';
import { NodeFiles } from './files.ts';
import { nodeRandom } from './random.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { WatchedStore } from './watched-store.ts';

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
  /** What is read into, and given back by the sockets. */
  buffers: ReadBuffers;
  clock: Clock;
  log: Log;
}

/** Opens the data directory, or makes it. @throws with a message for people when it is locked or not ours. */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { directory, nodeId } = options;
  const identity: Identity = { clusterId: nodeRandom.uuid(), nodeId, directoryId: nodeRandom.uuid() };
  if (directory === undefined)
    return { store: new MemoryLogStore(), identity, commitRounds: () => 0, flushMs: undefined };
  const { flush, kernels, clock, log } = options;
  const files = new NodeFiles(options.buffers);
  const startedAtMs = performance.now();
  const store = await SegmentStore.open({
    files,
    directory,
    flush,
    kernels,
    identity,
    clock,
    onWarning: (message) => log.warn(message, { component: 'store' }),
    gather: setImmediate,
  });
  const logs = store.logs().length;
  const wasClean = store.wasClean || logs === 0;
  log.info(wasClean ? 'data directory opened' : 'data directory opened after a crash: logs are recovered', {
    component: 'store',
    directory,
    logs,
    wasClean,
    durationMs: Math.round(performance.now() - startedAtMs),
  });
  return {
    store: new WatchedStore(store, { log, wasClean }),
    identity: store.identity,
    commitRounds: () => store.roundsCompleted,
    flushMs: files.flushMs,
  };
}
