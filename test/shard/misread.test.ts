import { expect, test } from 'vitest';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { encodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { type Machine, NOTHING } from '../../src/model/machine.ts';
import { Asks } from '../../src/shard/asks.ts';
import { Shard } from '../../src/shard/shard.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { NAME, NOW, append, batch, codecs, kernels, openLog } from '../log/fixtures.ts';
import { openStore } from '../segments/open.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { misread } from '../storage/misread.ts';

const BATCHES = 5;

/** What a killed process left: batches whose times rise, of one producer. */
async function written(): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([{ type: 'create', ...NAME }]);
  const log = await openLog(store);
  const producer = { producerId: 7, producerEpoch: 0 };
  for (let number = 0; number < BATCHES; number++) {
    const timestamp = NOW + 10 * number;
    await append({ store, log }, batch({ ...producer, baseSequence: number, timestamp }));
  }
  return files.crash({ power: true });
}

/** What a shard makes of its log for itself: its machine's state, its producers, the answers about times. */
async function known(files: MemoryFiles): Promise<string> {
  const store = await openStore(files, { tailBytes: 0 });
  let applied: unknown[] = [];
  const machine = (): Machine => {
    applied = [];
    return {
      decide: () => NOTHING,
      apply: ({ key, value }) => applied.push([String(key), String(value)]),
      tick: () => NOTHING,
      wakeAtMs: Infinity,
      forget: () => {},
      snapshot: () => [],
    };
  };
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const clock = new ManualClock();
  const asks = new Asks({ request: () => {} }, clock);
  const parts = { store, kernels, codecs, clock, asks, reply: () => {}, onWarning };
  const stored = new Set([NAME.log]);
  const config = () => DEFAULT_LOG_CONFIG;
  const shard = new Shard(parts, { name: NAME, stored, config, leaderEpoch: () => 0, machine });
  await shard.open();
  const { log } = shard;
  if (log === undefined) return warnings.join();
  const times = [];
  for (let number = 0; number < BATCHES; number++)
    times.push(await log.offsetForTimestamp(NOW + 10 * number, log.logEndOffset));
  const producers = String(encodeSnapshot(log.producers, kernels));
  return JSON.stringify({ applied, producers, times, warnings });
}

test('what a shard believes of its log was true on the very read', { timeout: 60_000 }, async () => {
  const disk = await written();
  const [path = ''] = disk.paths().filter((each) => each.endsWith('.log'));
  const expected = await known(disk.crash({ power: false }));
  expect(expected).toContain(`"offset":${BATCHES - 1}`);
  const others: string[] = [];
  for (let at = 0; at < disk.bytes(path).length; at++) {
    for (let number = 0; ; number++) {
      const files = disk.crash({ power: false });
      const wasRead = misread(files, number, { path, at });
      const found = await known(files);
      if (!wasRead()) break;
      if (found !== expected) others.push(`read ${number} of byte ${at}: ${found}`);
    }
  }
  expect(others).toEqual([]);
});
