import { describe, expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { CLEANED_NAME, decodeCleanedOffset } from '../../src/log/compaction/cleaned-offset.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/config.ts';
import { KafkaError } from '../../src/model/errors.ts';
import type { LogStore } from '../../src/ports/log-store.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { LogCleaner } from '../../src/shard/log-cleaner.ts';
import { Shards } from '../../src/shard/shards.ts';
import { dataShard } from '../../src/ports/shard-link.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { openStore } from '../segments/open.ts';
import { MemoryFiles } from '../storage/memory-files.ts';

const kernels = new TwinKernels();
const topicId = 'AAAAAAAAAAAAAAAAAAAAAg';
const name = { log: `${topicId}/0`, topic: 'orders', topicId, partition: 0 };
const { log } = name;
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

/** A log on files that a shard has open, and its cleaner. Turns pass at once unless the test says otherwise. */
class Bench {
  readonly clock = new ManualClock();
  readonly files = new MemoryFiles();
  readonly warnings: string[] = [];
  config: LogConfig = { ...DEFAULT_LOG_CONFIG, cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0 };
  rate = Infinity;
  store!: LogStore;
  shards!: Shards;
  cleaner!: LogCleaner;
  #offset = 0;

  async open(): Promise<this> {
    this.store = await openStore(this.files, { tailBytes: 0 });
    const { clock, store } = this;
    const onWarning = (message: string) => this.warnings.push(message);
    const parts = { store, kernels, codecs: new Map(), clock, onWarning };
    this.shards = new Shards({ ...parts, reply: () => {} }, () => ({
      name,
      config: () => this.config,
      leaderEpoch: () => 0,
    }));
    await this.shard.open();
    const random = { next: () => 0.5, uuid: () => topicId };
    const config = () => ({
      dedupeBufferBytes: 24_000,
      ioBufferLoadFactor: 0.9,
      ioBufferBytes: 200,
      ioMaxBytesPerSecond: this.rate,
      backoffMs: 15_000,
    });
    this.cleaner = new LogCleaner({ ...parts, shards: this.shards, random, config });
    return this;
  }

  get shard() {
    const shard = this.shards.get(dataShard(log));
    if (shard === undefined) throw new Error('there is one');
    return shard;
  }

  /** A segment of batches, a record each. */
  async segment(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const bytes = buildBatch(kernels, { records: [{ key, value: 'v', timestamp: this.clock.nowMs }] });
      const result = this.shard.log?.append(bytes, {
        leaderEpoch: 0,
        origin: 'client',
        nowMs: this.clock.nowMs,
      });
      if (result?.type !== 'appended') throw new Error('it takes it');
      this.#offset = result.lastOffset;
      this.shard.commit(result.writes);
    }
    this.shard.commit([{ type: 'roll', log }]);
    await this.shard.settled();
  }

  /** Lets turns pass until `done` is. */
  async passing<T>(done: Promise<T>): Promise<T> {
    let isDone = false;
    void done.finally(() => (isDone = true)).catch(() => {});
    while (!isDone) {
      this.clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return done;
  }

  async offsets(): Promise<number[]> {
    const found: number[] = [];
    for (let fromOffset = 0; fromOffset <= this.#offset;) {
      const bytes = await this.store.read(log, { ...ALL, fromOffset, maxBytes: 1 });
      if (bytes.length === 0) break;
      const { baseOffset, lastOffset } = new BatchHeader(bytes);
      found.push(baseOffset);
      fromOffset = lastOffset + 1;
    }
    return found;
  }

  async cleanedOffset(): Promise<number | undefined> {
    const bytes = await this.store.get(log, CLEANED_NAME);
    return bytes && decodeCleanedOffset(bytes, kernels);
  }
}

describe('the cleaner', () => {
  test('cleans what is dirty, says how far it has come, and finds nothing then', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'b', 'a');
    await bench.segment('a', 'c');
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(true);
    expect(await bench.offsets()).toEqual([1, 3, 4]);
    await bench.shard.settled();
    expect(await bench.cleanedOffset()).toBe(5);
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    expect(bench.cleaner.counts).toMatchObject({ passes: 1, recordsRead: 5, recordsKept: 3 });
  });

  test('goes on where it was after a restart, and begins anew where its word is damaged', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a');
    await bench.passing(bench.cleaner.cleanDirtiest());
    await bench.shard.settled();
    await bench.store.close();
    await bench.open();
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    await bench.store.commit([
      { type: 'put', log, name: CLEANED_NAME, value: Uint8Array.of(48, 10, 57, 10) },
    ]);
    await bench.store.close();
    await bench.open();
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(true);
  });

  test('looks every log.cleaner.backoff.ms, and at once again after a pass', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a');
    bench.cleaner.start();
    bench.clock.advance(14_999);
    expect(bench.cleaner.counts.lastRunMs).toBeUndefined();
    bench.clock.advance(1);
    await bench.passing(expect.poll(() => bench.cleaner.counts.passes).toBe(1));
    await bench.cleaner.stop();
    expect(bench.clock.waiting).toBe(0);
  });

  test('reads and writes no faster than log.cleaner.io.max.bytes.per.second', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'b', 'a');
    bench.rate = 1_000;
    const startMs = bench.clock.nowMs;
    const pass = bench.cleaner.cleanDirtiest();
    let isDone = false;
    void pass.then(() => (isDone = true));
    while (!isDone) {
      bench.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { bytesRead, bytesWritten } = bench.cleaner.counts;
    expect(bench.clock.nowMs - startMs).toBeGreaterThanOrEqual(Math.floor(bytesRead + bytesWritten) - 1);
  });

  test('stops between two chunks', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a', 'a');
    bench.cleaner.start();
    bench.clock.advance(15_000);
    await expect.poll(() => bench.clock.waiting).toBe(1);
    await bench.cleaner.stop();
    expect(bench.cleaner.counts.passes).toBe(0);
    expect(await bench.offsets()).toEqual([0, 1, 2]);
    expect(bench.files.paths().filter((path) => path.endsWith('.cleaned'))).toEqual([]);
  });

  test('leaves a log alone of which a batch cannot be read', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a');
    const replace = bench.store.replace.bind(bench.store);
    bench.store.replace = (key, range) => ({
      ...replace(key, range),
      write: () => Promise.reject(new KafkaError(2, 'it is corrupt')),
      abandon: async () => {},
    });
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    expect(bench.warnings).toEqual(['orders-0: cannot be compacted (it is corrupt)']);
    expect(bench.cleaner.uncleanable).toHaveLength(1);
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    expect(bench.warnings).toHaveLength(1);
  });

  test('that finds the disk full leaves the log as it was and tries again later', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a');
    bench.files.fault = (call, path) => {
      if (call === 'write' && path.endsWith('.cleaned')) throw new Error('ENOSPC');
    };
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    expect(bench.warnings).toEqual(['orders-0: cannot be compacted (ENOSPC)']);
    expect(bench.shard.state).toBe('open');
    bench.files.fault = () => {};
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(true);
    expect(await bench.offsets()).toEqual([1]);
  });

  test('whose swap fails takes its log down: it is loaded again', async () => {
    const bench = await new Bench().open();
    await bench.segment('a', 'a');
    bench.files.fault = (call, path) => {
      if (call === 'rename' && path.endsWith('.swap')) throw new Error('EIO');
    };
    expect(await bench.passing(bench.cleaner.cleanDirtiest())).toBe(false);
    expect(bench.shard.state).toBe('failed');
    bench.files.fault = () => {};
    await bench.shard.open();
    expect(bench.shard.state).toBe('open');
    expect(await bench.offsets()).toEqual([1]);
  });
});
