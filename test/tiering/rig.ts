import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import { RemoteReader } from '../../src/hosts/durable-object/tiering/remote-reader.ts';
import { type Looked, Tiering } from '../../src/hosts/durable-object/tiering/tiering.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/config.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { placesKey, remotePrefix } from '../../src/log/tiering/remote-segment.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { NodeSqlite } from '../durable-object/node-sqlite.ts';
import { append, kernels, NAME, NOW, openLog } from '../log/fixtures.ts';
import { contentOf, keyed } from '../log/compaction/cleaning.ts';
import { MemoryRemote } from './memory-remote.ts';

export const PREFIX = remotePrefix('test', NAME.topicId, NAME.partition);
export const PLACES = placesKey('test', NAME.topicId, NAME.partition);
export const MINUTE_MS = 60_000;

/** Small segments, and none of them stays here once it is copied. */
const CONFIG: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  segmentBytes: 400,
  remoteStorageEnable: true,
  localRetentionBytes: 0,
  retentionMs: Infinity,
};

/** A time that passes when a test says so. */
class StillClock implements Clock {
  nowMs = NOW;
  now(): number {
    return this.nowMs;
  }
  at(): () => void {
    throw new Error('no timer is wanted here');
  }
}

/** Ids that follow each other: a replaced instance has others. */
class CountingRandom implements Random {
  #count = 0;
  next(): number {
    return 0.5;
  }
  uuid(): string {
    return `attempt-${++this.#count}`;
  }
}

/** A database, remote storage, and one instance after the other that serves a log on them. */
export class TieredRig {
  readonly clock = new StillClock();
  readonly remote = new MemoryRemote(
    () => this.clock.now(),
    () => this.database.confirmed(),
  );
  readonly random = new CountingRandom();
  readonly warnings: string[] = [];
  readonly config: LogConfig;
  database: NodeSqlite;
  store!: SqliteLogStore;
  log!: PartitionLog;
  tiering!: Tiering;

  constructor(path: string, config: Partial<LogConfig> = {}, changesMax?: number) {
    this.config = { ...CONFIG, ...config };
    this.database = new NodeSqlite(path, changesMax);
  }

  /** Another instance: nothing of the one before is known but what is stored. */
  async open(onWrite?: () => void): Promise<this> {
    const { database, clock, remote, random } = this;
    const store = new SqliteLogStore(database, {
      tailBytes: 0,
      remote: { storage: remote, reader: new RemoteReader() },
      now: () => clock.now(),
      ...(onWrite && { onWrite }),
    });
    if (store.logs().length === 0) await store.commit([{ type: 'create', ...NAME }]);
    const log = await openLog(store, this.config, clock.now());
    log.highWatermark = log.logEndOffset;
    this.store = store;
    this.log = log;
    this.tiering = new Tiering({
      storage: remote,
      prefix: PREFIX,
      placesKey: PLACES,
      store,
      log: () => log,
      config: () => this.config,
      clock,
      random,
      onWarning: (message) => this.warnings.push(message),
    });
    return this;
  }

  /** As `Rig` of the log's tests has it. */
  async write(key: string, value: string, timestamp = this.clock.now()): Promise<void> {
    await append(this, buildBatch(kernels, { records: [keyed(key, value, timestamp)] }), {
      nowMs: this.clock.now(),
    });
    this.log.highWatermark = this.log.logEndOffset;
  }

  /** Records `v0`, `v1`, … under keys that no other has. */
  async writeMany(count: number): Promise<void> {
    const from = this.log.logEndOffset;
    for (let offset = from; offset < from + count; offset++) await this.write(`k${offset}`, `v${offset}`);
  }

  look(): Promise<Looked> {
    return this.tiering.look();
  }

  /** Offset, key, value of all there is. */
  content() {
    return contentOf(this);
  }

  /** Where what is not here ends. */
  get remoteEnd(): number {
    return this.log.remoteSegments.at(-1)?.nextOffset ?? 0;
  }

  get rows(): number {
    return this.database.sql.exec('SELECT base FROM batches_1').toArray().length;
  }

  /** Of all objects but the one that says where the others are. */
  get keys(): string[] {
    return [...this.remote.objects.keys()].filter((key) => key !== PLACES).toSorted();
  }

  puts(): string[] {
    return this.remote.calls.filter((call) => call.startsWith('put'));
  }

  pass(ms: number): void {
    this.clock.nowMs += ms;
  }
}

/** What `writeMany` has written. */
export function written(count: number): [number, string, string][] {
  return Array.from({ length: count }, (_, offset) => [offset, `k${offset}`, `v${offset}`]);
}
