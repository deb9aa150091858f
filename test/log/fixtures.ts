import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import type { AppendOptions, AppendResult } from '../../src/log/append.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { logKey } from '../../src/model/ids.ts';
import type { LogName, LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { buildBatch } from '../../src/records/builder.ts';
import type { BatchSpec } from '../../src/records/builder.ts';

export const kernels = new TwinKernels();
export const codecs = nodeCodecs(kernels);
export const NOW = 1_700_000_000_000;
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAbA';

export const NAME: LogName = { log: logKey(TOPIC_ID, 0), topic: 't', topicId: TOPIC_ID, partition: 0 };

/** A log, its store, and settings that a test may change while it is open. */
export interface Rig {
  store: MemoryLogStore;
  config: LogConfig;
  log: PartitionLog;
}

export async function openRig(config: Partial<LogConfig> = {}): Promise<Rig> {
  const store = new MemoryLogStore();
  await store.commit([{ type: 'create', ...NAME }]);
  const merged = { ...DEFAULT_LOG_CONFIG, ...config };
  return { store, config: merged, log: await openLog(store, merged) };
}

export function openLog(
  store: LogStore,
  config: LogConfig = DEFAULT_LOG_CONFIG,
  nowMs = NOW,
): Promise<PartitionLog> {
  return PartitionLog.open({ store, name: NAME, kernels, codecs, config: () => config, nowMs });
}

/** A client's batch: one record with value `v` at `NOW` unless told otherwise. */
export function batch(spec: Partial<BatchSpec> & { count?: number; timestamp?: number } = {}): Uint8Array {
  const { count = 1, timestamp = NOW, ...rest } = spec;
  const record = { timestamp, key: Uint8Array.of(107), value: Uint8Array.of(118) };
  return buildBatch(kernels, { records: Array.from({ length: count }, () => record), ...rest });
}

/** An idempotent producer's batch. */
export function sequenced(
  baseSequence: number,
  { count = 1, producerId = 7, producerEpoch = 0, ...rest }: Partial<BatchSpec> & { count?: number } = {},
): Uint8Array {
  return batch({ count, producerId, producerEpoch, baseSequence, ...rest });
}

/** Appends as a client and commits. */
export async function append(
  rig: { store: LogStore; log: PartitionLog },
  bytes: Uint8Array,
  options: Partial<AppendOptions> = {},
): Promise<AppendResult> {
  const result = rig.log.append(bytes, { leaderEpoch: 0, origin: 'client', nowMs: NOW, ...options });
  if (result.type === 'appended') await rig.store.commit(result.writes);
  return result;
}

/** The kinds of writes, in order. */
export function kinds(writes: readonly LogWrite[]): string[] {
  return writes.map((write) => ('name' in write ? `${write.type} ${write.name}` : write.type));
}
