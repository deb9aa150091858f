import type { Kernels } from '../kernels/kernels.ts';
import type { LogConfig } from '../log/config.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { LeaderEpoch, LogKey, Millis } from '../model/ids.ts';
import type { Decision, Machine, MachineRecord } from '../model/machine.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogFields } from '../ports/log.ts';
import type { LogName, LogStore } from '../ports/log-store.ts';
import type { ShardId, ShardReply } from '../ports/shard-link.ts';
import type { Codecs } from '../records/codecs.ts';
import type { ShareGroupConfig } from '../share/index.ts';
import type { Asks } from './asks.ts';
import type { SnapshotFrame } from './snapshots.ts';

/** What every shard of a host uses. */
export interface ShardParts {
  store: LogStore;
  kernels: Kernels;
  codecs: Codecs;
  clock: Clock;
  reply: (reply: ShardReply) => void;
  /** What this shard wants of others. */
  asks: Asks;
  /** A shard lost its storage; one line for people. */
  onWarning: (message: string, about?: LogFields) => void;
  meter?: ShardMeter | undefined;
}

/** Is told what the host counts. */
export interface ShardMeter {
  /** A client's batch. */
  appended(topic: string, batch: { records: number; bytes: number }): void;
  /** What a shard handed to its store at once is durable. */
  committed(tookMs: Millis): void;
}

/** How a leader makes its reign known in its own log. */
export interface Reign {
  controlRecords: readonly { key: Uint8Array; value: Uint8Array }[];
  values: readonly { name: string; value: Uint8Array }[];
}

/** What makes one shard. */
export interface ShardSpec {
  name: LogName;
  /** Logs the store holds, of all shards; ours is created when it is not there. */
  stored: Set<LogKey>;
  config: () => LogConfig;
  /** The reign under which it appends, known once its log is open. */
  leaderEpoch: (log: PartitionLog) => LeaderEpoch;
  /**
   * The coordinator of a transaction, which is asked before the first batch of one is taken; undefined while there is
   * none. Left out, nobody is asked.
   */
  transactionCoordinator?: (transactionalId: string) => ShardId | undefined;
  /** Who keeps the state of a share partition, by its key; undefined while there is none. */
  shareCoordinator?: (key: string) => ShardId | undefined;
  /** How a share group reads; left out, none does. */
  shareGroupConfig?: (groupId: string) => ShareGroupConfig;
  /** A coordinator's state machine, made anew each time the log is loaded. */
  machine?: (leaderEpoch: LeaderEpoch) => Machine;
  /** Others wait for what its machine asks: it is opened at the start, and again when it has failed. */
  isNeeded?: boolean;
  /** What a new leader writes first: control records, and values beside the log. */
  reign?: (leaderEpoch: LeaderEpoch) => Reign;
  /** The machine can do without no record of it: a log with a gap is refused. */
  isDense?: boolean;
  /** What the machine wants done as soon as it is loaded, before any request. @throws when it cannot serve the log. */
  boot?: (machine: Machine) => Decision;
  /** Called with the machine's records once they are committed, in order and once each; what was stored comes first. */
  onCommitted?: (records: Iterable<MachineRecord>) => void;
  /** Wraps a snapshot as the log's readers expect it. */
  snapshotFrame?: SnapshotFrame;
  /** At most this much log lies above the machine's newest snapshot; left out, a bound that makes a wake short. */
  snapshotEveryBytes?: number;
}
