import { expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/config.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { CLUSTER_METADATA_TOPIC } from '../../src/model/ids.ts';
import type { LogName } from '../../src/ports/log-store.ts';
import { dataShard } from '../../src/ports/shard-link.ts';
import { LogManager } from '../../src/shard/log-manager.ts';
import { Shards } from '../../src/shard/shards.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { append } from '../storage/batches.ts';

const kernels = new TwinKernels();
const MINUTE_MS = 60_000;

function nameOf(topic: string): LogName {
  const topicId = topic.padEnd(22, 'A');
  return { log: `${topicId}/0`, topic, topicId, partition: 0 };
}

/** Logs with two segments, ten minutes old, and who looks after them. */
async function world(configs: Record<string, Partial<LogConfig>>) {
  const clock = new ManualClock();
  const store = new MemoryLogStore();
  const logs = new Map(Object.keys(configs).map((topic) => [nameOf(topic).log, nameOf(topic)]));
  const timestamp = clock.nowMs - 10 * MINUTE_MS;
  for (const [log, name] of logs) {
    await store.commit([
      { type: 'create', ...name },
      append({ log, baseOffset: 0, timestamp }),
      { type: 'roll', log },
      append({ log, baseOffset: 1, timestamp: clock.nowMs }),
    ]);
  }
  const parts = { store, kernels, codecs: new Map(), clock, reply: () => {}, onWarning: () => {} };
  const shards = new Shards(parts, (id) => {
    const name = logs.get(id.slice(2));
    const config = () => ({ ...DEFAULT_LOG_CONFIG, ...configs[name?.topic ?? ''] });
    return name && { name, config, leaderEpoch: () => 0 };
  });
  const manager = new LogManager({ shards, store, clock, retentionCheckIntervalMs: 5 * MINUTE_MS });
  const startOf = async (topic: string) => (await store.open(nameOf(topic).log)).logStartOffset;
  const stateOf = (topic: string) => shards.get(dataShard(nameOf(topic).log))?.state;
  return { clock, store, manager, startOf, stateOf };
}

test('old segments go half a minute after the start, and then every log.retention.check.interval.ms', async () => {
  const { clock, manager, startOf } = await world({
    old: { retentionMs: 9 * MINUTE_MS },
    young: { retentionMs: 13 * MINUTE_MS },
    [CLUSTER_METADATA_TOPIC]: { retentionMs: 1 },
  });
  manager.start();
  clock.advance(MINUTE_MS / 2);
  await expect.poll(() => clock.waiting).toBe(1);
  expect([await startOf('old'), await startOf('young')]).toEqual([1, 0]);
  clock.advance(5 * MINUTE_MS);
  await expect.poll(() => startOf('young')).toBe(1);
  expect(await startOf(CLUSTER_METADATA_TOPIC)).toBe(0);
  await expect.poll(() => clock.waiting).toBe(1);
  await manager.stop();
  expect(clock.waiting).toBe(0);
});

test('a log that keeps all is not opened for it', async () => {
  const { manager, stateOf, startOf } = await world({
    kept: { retentionMs: Infinity },
    compacted: { cleanupPolicy: ['compact'], retentionMs: 1 },
    full: { retentionMs: Infinity, retentionBytes: 1 },
  });
  await manager.check();
  expect([stateOf('kept'), stateOf('compacted'), stateOf('full')]).toEqual(['closed', 'closed', 'open']);
  expect(await startOf('full')).toBe(1);
});
