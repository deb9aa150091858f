import { InvariantError } from '../model/assert.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { Decision, Machine, MachineRecord, MachineRequest } from '../model/machine.ts';
import { initializeShareGroupStateApi } from '../wire/apis/83-initialize-share-group-state.ts';
import { readShareGroupStateApi } from '../wire/apis/84-read-share-group-state.ts';
import { writeShareGroupStateApi } from '../wire/apis/85-write-share-group-state.ts';
import { deleteShareGroupStateApi } from '../wire/apis/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryApi } from '../wire/apis/87-read-share-group-state-summary.ts';
import type { Api, RequestOf } from '../wire/schema.ts';
import {
  decodeShareRecord,
  type SharePartitionId,
  type ShareRecord,
  type ShareSnapshot,
  sharePartitionKeyOf,
  shareRecord,
} from './records.ts';
import { mergeBatches } from './state-batches.ts';
import { NO_START_OFFSET } from './states.ts';

/** What the log says of a share partition. */
interface Stored {
  readonly id: SharePartitionId;
  readonly snapshot: ShareSnapshot;
  /** Since the snapshot. */
  readonly updates: number;
  /** Where in the log its snapshot is; -1 while that is not known. */
  snapshotAt: Offset;
}

/** Kafka's share.coordinator.state.topic.prune.interval.ms: how often what is said anew is taken out of the log. */
const PRUNE_EVERY_MS = 300_000;
/** A snapshot that so many records lie behind is written anew, lest it holds the log up. */
const COLD_AFTER_RECORDS = 5_000;
/** Of those, as many in one decision. */
const COLD_AT_ONCE = 1_000;

export interface ShareStateOptions {
  /** Updates of a share partition between two of its snapshots; asked at every use. */
  updatesPerSnapshot: () => number;
  /** Whether there is that partition. */
  isPartition: (topicId: string, partition: number) => boolean;
}

/** One share partition's part of a request. */
type Part<P> = { partition: number } & P;
/** The answer of one, without its number. */
interface Result {
  errorCode: number;
  errorMessage: string | null;
}

const OK: Result = { errorCode: ErrorCode.NONE, errorMessage: null };
const UNKNOWN = refused(
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  'This server does not host this topic-partition.',
);
const FENCED_LEADER = refused(
  ErrorCode.FENCED_LEADER_EPOCH,
  'The leader epoch in the request is older than the epoch on the broker.',
);
const FENCED_STATE = refused(
  ErrorCode.FENCED_STATE_EPOCH,
  'The share coordinator rejected the request because the share-group state epoch did not match.',
);
const UNINITIALIZED = refused(ErrorCode.INVALID_REQUEST, 'The share partition has not been initialized.');

function refused(errorCode: number, errorMessage: string): Result {
  return { errorCode, errorMessage };
}

/** One decision: its records count at once for what comes behind them in the same request. */
class Turn implements Decision {
  readonly nowMs: Millis;
  readonly records: MachineRecord[] = [];
  replies: Decision['replies'] = [];

  constructor(nowMs: Millis) {
    this.nowMs = nowMs;
  }
}

/**
 * Keeps, for the leaders of partitions, how far share groups are in them: one partition of `__share_group_state`
 * (KIP-932). A leader with an epoch of the past is fenced, and so is one that knows a state of the past: an
 * administrator has moved the group meanwhile.
 */
export class ShareStateMachine implements Machine {
  readonly #options: ShareStateOptions;
  readonly #states = new Map<string, Stored>();
  readonly #applied = new Set<MachineRecord>();
  /** Of the newest record. */
  #lastOffset: Offset = -1;
  wakeAtMs: Millis = Infinity;

  constructor(options: ShareStateOptions) {
    this.#options = options;
  }

  decide(request: MachineRequest, nowMs: Millis): Decision {
    const turn = new Turn(nowMs);
    const body = this.#answer(turn, request);
    turn.replies = [{ to: request.from, body }];
    return turn;
  }

  #answer(turn: Turn, { apiKey, body }: MachineRequest): unknown {
    switch (apiKey) {
      case initializeShareGroupStateApi.key:
        return each(body as RequestOf<typeof initializeShareGroupStateApi>, (id, part) =>
          this.#initialize(turn, id, part),
        );
      case readShareGroupStateApi.key:
        return each(body as RequestOf<typeof readShareGroupStateApi>, (id, part) =>
          this.#read(turn, id, part),
        );
      case writeShareGroupStateApi.key:
        return each(body as RequestOf<typeof writeShareGroupStateApi>, (id, part) =>
          this.#write(turn, id, part),
        );
      case deleteShareGroupStateApi.key:
        return each(body as RequestOf<typeof deleteShareGroupStateApi>, (id) => this.#delete(turn, id));
      case readShareGroupStateSummaryApi.key:
        return each(body as RequestOf<typeof readShareGroupStateSummaryApi>, (id, part) =>
          this.#summarize(id, part),
        );
      default:
        throw new InvariantError(`API ${apiKey} is no share coordinator's`);
    }
  }

  #stored(id: SharePartitionId): Stored | undefined {
    return this.#states.get(sharePartitionKeyOf(id));
  }

  /** Again with the same epoch it is the same request, whose answer was lost: what came since stays. */
  #initialize(
    turn: Turn,
    id: SharePartitionId,
    { stateEpoch, startOffset }: { stateEpoch: number; startOffset: number },
  ): Result {
    if (!this.#options.isPartition(id.topicId, id.partition)) return UNKNOWN;
    const known = this.#stored(id)?.snapshot;
    // Who does not say where to begin wants one to be there.
    if (known !== undefined && startOffset === NO_START_OFFSET) return OK;
    if (known !== undefined && known.stateEpoch > stateEpoch) return FENCED_STATE;
    if (known?.stateEpoch === stateEpoch) return OK;
    this.#record(turn, {
      type: 'snapshot',
      id,
      value: {
        snapshotEpoch: (known?.snapshotEpoch ?? -1) + 1,
        stateEpoch,
        leaderEpoch: known?.leaderEpoch ?? 0,
        startOffset,
        deliveryCompleteCount: startOffset === NO_START_OFFSET ? -1 : 0,
        createTimestamp: turn.nowMs,
        writeTimestamp: turn.nowMs,
        stateBatches: [],
      },
    });
    return OK;
  }

  /** A new leader is noted before it knows anything: from then on the one before is fenced. */
  #read(turn: Turn, id: SharePartitionId, { leaderEpoch }: { leaderEpoch: number }) {
    const none = { stateEpoch: 0, startOffset: NO_START_OFFSET, stateBatches: [] };
    if (!this.#options.isPartition(id.topicId, id.partition)) return { ...none, ...UNKNOWN };
    const known = this.#stored(id);
    if (known === undefined) return { ...none, ...UNINITIALIZED };
    if (known.snapshot.leaderEpoch > leaderEpoch) return { ...none, ...FENCED_LEADER };
    if (known.snapshot.leaderEpoch < leaderEpoch)
      this.#change(turn, known, {
        leaderEpoch,
        startOffset: -1,
        deliveryCompleteCount: -1,
        stateBatches: [],
      });
    const { stateEpoch, startOffset, stateBatches } = known.snapshot;
    return { ...OK, stateEpoch, startOffset, stateBatches };
  }

  #write(
    turn: Turn,
    id: SharePartitionId,
    part: Part<
      Omit<RequestOf<typeof writeShareGroupStateApi>['topics'][number]['partitions'][number], 'partition'>
    >,
  ): Result {
    if (!this.#options.isPartition(id.topicId, id.partition)) return UNKNOWN;
    const known = this.#stored(id);
    if (known === undefined) return UNINITIALIZED;
    if (known.snapshot.leaderEpoch > part.leaderEpoch) return FENCED_LEADER;
    if (known.snapshot.stateEpoch > part.stateEpoch) return FENCED_STATE;
    this.#change(turn, known, part);
    return OK;
  }

  /** As an update, or, when there are many, as a snapshot of all. */
  #change(
    turn: Turn,
    { id, snapshot, updates }: Stored,
    {
      leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      stateBatches,
    }: Pick<ShareSnapshot, 'leaderEpoch' | 'startOffset' | 'deliveryCompleteCount' | 'stateBatches'>,
  ): void {
    const { snapshotEpoch } = snapshot;
    const next = changed(snapshot, { leaderEpoch, startOffset, deliveryCompleteCount, stateBatches });
    if (updates >= this.#options.updatesPerSnapshot()) {
      const value = { ...next, snapshotEpoch: snapshotEpoch + 1, writeTimestamp: turn.nowMs };
      return this.#record(turn, { type: 'snapshot', id, value });
    }
    const value = { snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, stateBatches };
    this.#record(turn, { type: 'update', id, value });
  }

  #delete(turn: Turn, id: SharePartitionId): Result {
    if (this.#stored(id) === undefined) return OK;
    this.#record(turn, { type: 'update', id, value: null });
    this.#record(turn, { type: 'snapshot', id, value: null });
    return OK;
  }

  #summarize(id: SharePartitionId, { leaderEpoch: asked }: { leaderEpoch: number }) {
    const none = { stateEpoch: 0, leaderEpoch: 0, startOffset: NO_START_OFFSET, deliveryCompleteCount: -1 };
    const known = this.#stored(id)?.snapshot;
    if (known === undefined) return { ...none, ...OK };
    if (asked >= 0 && known.leaderEpoch > asked) return { ...none, ...FENCED_LEADER };
    const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = known;
    return { ...OK, stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount };
  }

  #record(turn: Turn, what: ShareRecord): void {
    const record = shareRecord(what);
    turn.records.push(record);
    this.#apply(what, -1);
    this.#applied.add(record);
  }

  apply(record: MachineRecord, nowMs: Millis, offset: Offset = -1): void {
    const decoded = decodeShareRecord(record);
    this.#lastOffset = Math.max(this.#lastOffset, offset);
    if (this.wakeAtMs === Infinity) this.wakeAtMs = nowMs + PRUNE_EVERY_MS;
    if (decoded === undefined) return;
    if (!this.#applied.delete(record)) return this.#apply(decoded, offset);
    const known = this.#stored(decoded.id);
    if (known !== undefined && decoded.type === 'snapshot') known.snapshotAt = offset;
  }

  #apply({ type, id, value }: ShareRecord, snapshotAt: Offset): void {
    const key = sharePartitionKeyOf(id);
    const known = this.#states.get(key);
    if (type === 'snapshot') {
      if (value === null) this.#states.delete(key);
      else this.#states.set(key, { id, snapshot: value, updates: 0, snapshotAt });
      return;
    }
    // Without its snapshot, or of one before, an update says nothing.
    if (known === undefined || value === null || value.snapshotEpoch !== known.snapshot.snapshotEpoch) return;
    const snapshot = changed(known.snapshot, value);
    this.#states.set(key, { ...known, snapshot, updates: known.updates + 1 });
  }

  /** What the log says below it, it says again. */
  get prunableBefore(): Offset {
    let before = this.#lastOffset;
    for (const { snapshotAt } of this.#states.values()) before = Math.min(before, snapshotAt);
    return before;
  }

  /** Share partitions of which nothing is heard would keep all that the others have said since. */
  tick(nowMs: Millis): Decision {
    const turn = new Turn(nowMs);
    this.wakeAtMs = nowMs + PRUNE_EVERY_MS;
    for (const { id, snapshot, snapshotAt } of this.#states.values()) {
      if (turn.records.length >= COLD_AT_ONCE) break;
      if (!this.#options.isPartition(id.topicId, id.partition)) {
        this.#delete(turn, id);
        continue;
      }
      if (snapshotAt > this.#lastOffset - COLD_AFTER_RECORDS) continue;
      const value = { ...snapshot, snapshotEpoch: snapshot.snapshotEpoch + 1, writeTimestamp: nowMs };
      this.#record(turn, { type: 'snapshot', id, value });
    }
    // Until something is said again there is nothing to be done.
    if (turn.records.length === 0) this.wakeAtMs = Infinity;
    return turn;
  }

  forget(): void {
    // Nobody waits here.
  }

  *snapshot(): Iterable<MachineRecord> {
    for (const { id, snapshot } of this.#states.values())
      yield shareRecord({ type: 'snapshot', id, value: snapshot });
  }
}

function changed(
  snapshot: ShareSnapshot,
  news: Pick<ShareSnapshot, 'leaderEpoch' | 'startOffset' | 'deliveryCompleteCount' | 'stateBatches'>,
): ShareSnapshot {
  const startOffset = news.startOffset === NO_START_OFFSET ? snapshot.startOffset : news.startOffset;
  const deliveryCompleteCount =
    news.startOffset === NO_START_OFFSET ? snapshot.deliveryCompleteCount : news.deliveryCompleteCount;
  return {
    ...snapshot,
    leaderEpoch: Math.max(snapshot.leaderEpoch, news.leaderEpoch),
    startOffset,
    deliveryCompleteCount,
    stateBatches: mergeBatches(snapshot.stateBatches, news.stateBatches, startOffset),
  };
}

/** Answers a request share partition by share partition. */
function each<P extends { partition: number }, R>(
  { groupId, topics }: { groupId: string; topics: readonly { topicId: string; partitions: readonly P[] }[] },
  answer: (id: SharePartitionId, part: P) => R,
) {
  return {
    results: topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map((part) => ({
        partition: part.partition,
        ...answer({ groupId, topicId, partition: part.partition }, part),
      })),
    })),
  };
}

/** The APIs of a share coordinator, by key; it is sent no other. */
export const SHARE_STATE_APIS: readonly Api[] = [
  initializeShareGroupStateApi,
  readShareGroupStateApi,
  writeShareGroupStateApi,
  deleteShareGroupStateApi,
  readShareGroupStateSummaryApi,
];
