import { type Core, openMetadata, startCore } from '../../broker/core.ts';
import type { Spec } from '../../broker/specs.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import {
  CONSUMER_OFFSETS_TOPIC,
  type LogKey,
  METADATA_TOPIC_ID,
  type Millis,
  TRANSACTION_STATE_TOPIC,
  logKey,
} from '../../model/ids.ts';
import type { Machine } from '../../model/machine.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogStore } from '../../ports/log-store.ts';
import type { Files } from '../../ports/files.ts';
import { type ShardId, dataShard, groupShard, txnShard } from '../../ports/shard-link.ts';
import { SegmentStore } from '../../segments/store.ts';
import type { Shard } from '../../shard/shard.ts';
import type { DiskCounters, DiskState } from './files.ts';
import type { Disk } from './disk.ts';
import { simCodecs } from './codecs.ts';
import { SimFiles } from './files.ts';
import { Link, type LinkListener } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Decisions } from './txn/watch.ts';
import { KEYED_TOPIC } from './world.ts';

/** What a seed decides about its node, small so that a minute sees what takes days. */
export interface NodeConfig {
  flush: 'always' | 'never';
  segmentBytes: number;
  indexIntervalBytes: number;
  tailBytes: number;
  indexBytes: number;
  maxOpenFiles: number;
  snapshotEveryBytes: number;
}

/** Puts a fault of the broker's own where a port or a machine is: see `bugs.ts`. */
export interface Seams {
  files?: (files: Files) => Files;
  store?: (store: LogStore, kernels: Kernels) => LogStore;
  spec?: (spec: Spec) => Spec;
}

export interface NodeParts {
  scheduler: Scheduler;
  random: SeededRandom;
  kernels: Kernels;
  disk: Disk;
  diskState: DiskState;
  diskCounters: DiskCounters;
  config: NodeConfig;
  seams: Seams;
  /** What coordinators of transactions have decided. */
  decisions: Decisions;
  onWarning: (message: string) => void;
}

const IDLE_SWEEP_MS = 30_000;
const KEYED_SEGMENT_BYTES = 800;
const SETTINGS = new Map([
  ['node.id', '1'],
  ['offsets.topic.num.partitions', '2'],
  ['group.initial.rebalance.delay.ms', '300'],
  ['share.coordinator.state.topic.num.partitions', '2'],
  ['group.share.assignment.interval.ms', '0'],
  ['group.share.min.record.lock.duration.ms', '1000'],
  ['auto.create.topics.enable', 'false'],
  ['log.cleaner.backoff.ms', '1500'],
  ['transaction.state.log.num.partitions', '2'],
  ['transaction.abort.timed.out.transaction.cleanup.interval.ms', '700'],
]);
export const DATA = '/data';
export const METADATA_LOG = logKey(METADATA_TOPIC_ID, 0);

/** One run of the broker's process: from its start to a stop or a kill. */
export class Node {
  readonly core: Core;
  readonly store: LogStore;
  /** The machines as they were loaded last, by shard log. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly #life: Process;

  /** @throws when the disk does not let it. */
  static async start(life: Process): Promise<Node> {
    const { scheduler, random, kernels, config, seams, decisions, onWarning } = life.parts;
    const store = await SegmentStore.open({
      files: seams.files?.(life.files) ?? life.files,
      directory: DATA,
      kernels,
      flush: config.flush,
      identity: { clusterId: random.uuid(), nodeId: 1, directoryId: random.uuid() },
      tailBytes: config.tailBytes,
      indexBytes: config.indexBytes,
      maxOpenFiles: config.maxOpenFiles,
      indexIntervalBytes: config.indexIntervalBytes,
      clock: life,
      gather: (begin) => scheduler.after(0.01, 'gather', begin),
      onWarning,
    });
    const { identity } = store;
    const machines = new Map<string, Machine>();
    const seen = seams.store?.(decisions.watch(store, kernels), kernels) ?? decisions.watch(store, kernels);
    const core = startCore({
      store: seen,
      identity,
      kernels,
      codecs: simCodecs(kernels),
      clock: life,
      random,
      endpoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
      staticConfigs: SETTINGS,
      onWarning,
      adjust: (spec) => {
        const small = adjusted(spec, config, machines, decisions);
        return seams.spec?.(small) ?? small;
      },
    });
    await openMetadata(core);
    core.logManager.start();
    return new Node(life, core, seen, machines);
  }

  private constructor(life: Process, core: Core, store: LogStore, machines: ReadonlyMap<string, Machine>) {
    this.#life = life;
    this.core = core;
    this.store = store;
    this.machines = machines;
    life.every(IDLE_SWEEP_MS, () => core.gateway.closeIdle());
  }

  connect(listener: LinkListener): Link {
    return this.#life.connect(this.core.gateway, listener);
  }

  get links(): readonly Link[] {
    return this.#life.links;
  }

  /** A shard that is open; others stay as they are. */
  openShard(id: ShardId): Shard | undefined {
    const shard = this.core.shards.get(id);
    return shard?.state === 'open' ? shard : undefined;
  }

  /** The shard of a topic's log. */
  shardOf(log: LogKey): ShardId {
    const [topicId, partition] = log.split('/');
    const { image } = this.core;
    if (topicId === image.topic(CONSUMER_OFFSETS_TOPIC)?.id) return groupShard(Number(partition));
    if (topicId === image.topic(TRANSACTION_STATE_TOPIC)?.id) return txnShard(Number(partition));
    return dataShard(log);
  }

  /** Opens the shards of these logs. */
  async openAll(logs: Iterable<LogKey>): Promise<void> {
    for (const log of logs) await this.core.shards.get(this.shardOf(log))?.open();
  }

  /** As `hosts/node` stops: drains, writes all, releases. */
  async stop(): Promise<void> {
    const { gateway, shards, logManager } = this.core;
    await gateway.drain(this.#life.now() + 5_000);
    gateway.closeAll();
    await logManager.stop();
    await shards.close();
    await this.store.close();
  }
}

function adjusted(
  spec: Spec,
  config: NodeConfig,
  machines: Map<string, Machine>,
  decisions: Decisions,
): Spec {
  const { machine } = spec;
  // Enough segments for the cleaner.
  const segmentBytes = spec.name.topic === KEYED_TOPIC ? KEYED_SEGMENT_BYTES : config.segmentBytes;
  return {
    ...spec,
    config: () => ({ ...spec.config(), segmentBytes }),
    snapshotEveryBytes: config.snapshotEveryBytes,
    ...(spec.name.topic === TRANSACTION_STATE_TOPIC && {
      onCommitted: (records) => decisions.committed(records),
    }),
    ...(machine && {
      machine: (leaderEpoch) => {
        const made = machine(leaderEpoch);
        machines.set(spec.name.log, made);
        return made;
      },
    }),
  };
}

/** A process: all it has asked for stops when it is killed, wherever it is. */
export class Process implements Clock {
  readonly parts: NodeParts;
  readonly files: SimFiles;
  links: Link[] = [];
  #isDead = false;

  constructor(parts: NodeParts) {
    this.parts = parts;
    const { disk, diskState: state, diskCounters: counters, scheduler, random } = parts;
    this.files = new SimFiles({ disk, state, counters, scheduler, random });
  }

  now(): Millis {
    return this.parts.scheduler.now();
  }

  at(atMs: Millis, callback: () => void): () => void {
    return this.parts.scheduler.at(atMs, () => {
      if (!this.#isDead) callback();
    });
  }

  every(periodMs: Millis, callback: () => void): void {
    this.at(this.now() + periodMs, () => {
      callback();
      this.every(periodMs, callback);
    });
  }

  connect(gateway: Core['gateway'], listener: LinkListener): Link {
    const { scheduler, random } = this.parts;
    const link = new Link({ scheduler, random }, gateway, listener);
    this.links.push(link);
    return link;
  }

  /** @param machine the whole machine goes: clients hear nothing. */
  kill(machine: boolean): void {
    this.#isDead = true;
    this.files.kill();
    for (const link of this.links) {
      if (machine) link.vanish();
      else link.cut();
    }
    this.links = [];
  }
}
