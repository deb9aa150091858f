import { ErrorCode, errorInfo } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import { BadBatch, type FetchBuffer } from './buffer.ts';
import type { Aborted, Holding } from './chunk.ts';
import type { EngineParts } from '../client-parts.ts';
import type { FetchSettings } from './fetch-options.ts';
import { type FetchSizes, Lane, type LaneAnswer, type PartitionAnswer } from './lane.ts';
import { titleOf } from '../topic-partition.ts';
import { Lookups } from './lookups.ts';
import type { FetchPartition } from './partition.ts';
import { Patience, refusalOf } from './patience.ts';
import { Positioner } from './positioner.ts';

/** A replica that a leader has named is read from for so long; then the leader is asked again. */
const REPLICA_FOR_MS = 5 * 60_000;
const NOTHING_ABORTED: Aborted = [];

export interface PumpOptions {
  parts: EngineParts;
  settings: FetchSettings;
  buffer: Pick<
    FetchBuffer<unknown, unknown>,
    'add' | 'dropPaused' | 'dropStale' | 'hasSome' | 'heldBytes' | 'hold'
  >;
  /** Something has come, or all has ended. */
  tell: () => void;
  /** A failure that is tried again. */
  retried: (at: FetchPartition, error: Error) => void;
}

/** A partition as it was when it was asked for. */
interface Asked {
  at: FetchPartition;
  life: number;
}

/** Asks brokers for what comes next, one request each, as long as the buffer has room. */
export class Pump {
  /** In the order in which they are asked for: who gave records goes to the end. */
  readonly partitions = new Map<string, FetchPartition>();
  /** Whether somebody waits for records. */
  isAwaited = false;
  readonly #options: PumpOptions;
  readonly #positioner: Positioner;
  readonly #patience: Patience;
  readonly #lanes = new Map<number, Lane>();
  readonly #life = new AbortController();
  /** Bytes that answers may bring which are under way. */
  #askedBytes = 0;
  #isDue = false;
  #alarm: { atMs: Millis; cancel: () => void } | undefined;
  #failure: Error | undefined;
  readonly #stopListening: (() => void) | undefined;

  constructor(options: PumpOptions) {
    const { parts, retried } = options;
    const { cluster, clock } = parts;
    const { isolation, outOfRange } = options.settings;
    const lookups = new Lookups(cluster, isolation);
    this.#options = options;
    this.#positioner = new Positioner({ cluster, clock, lookups, outOfRange });
    this.#patience = new Patience({ parts, isolation, retried, stop: (error) => this.stop(error) });
    this.#stopListening = clock.wakes?.on(() => this.#woke());
  }

  /** Why nothing is asked for any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Something may be asked for that could not be before. */
  schedule(): void {
    if (this.#isDue || this.#failure !== undefined) return;
    this.#isDue = true;
    // After all that is said in this turn.
    void Promise.resolve().then(() => {
      this.#isDue = false;
      if (this.#failure === undefined) this.#pump();
    });
  }

  /** Nothing is asked for any more. Idempotent: the first reason stays. */
  stop(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#life.abort(error);
    this.#alarm?.cancel();
    this.#stopListening?.();
    for (const lane of this.#lanes.values()) lane.close();
    this.#options.tell();
  }

  /** A batch came which cannot be read: it is asked for again if that may help. */
  refused({ at, why }: BadBatch): void {
    at.rewind();
    this.#options.buffer.dropStale();
    if (this.#isRead(at)) this.#patience.failBad(at, why);
    this.schedule();
  }

  /** What was put off may work now. */
  #woke(): void {
    for (const at of this.partitions.values()) at.notBeforeMs = 0;
    this.schedule();
  }

  #pump(): void {
    const nowMs = this.#options.parts.clock.now();
    const byNode = new Map<number, FetchPartition[]>();
    let wakeAtMs = Infinity;
    for (const at of this.partitions.values()) {
      if (at.isHeld || at.isAsked || !at.isWanting) continue;
      if (at.notBeforeMs > nowMs) {
        wakeAtMs = Math.min(wakeAtMs, at.notBeforeMs);
        continue;
      }
      const nodeId = this.#nodeOf(at, nowMs);
      if (nodeId === undefined) void this.#settle(at);
      else listOf(byNode, nodeId).push(at);
    }
    this.#askAll(byNode);
    this.#wakeAt(wakeAtMs);
  }

  #askAll(byNode: ReadonlyMap<number, FetchPartition[]>): void {
    const { fetchMaxBytes, maxBufferedBytes, partitionMaxBytes } = this.#options.settings;
    const idle = [...this.#lanes.values()].filter((lane) => lane.isBusy && !byNode.has(lane.nodeId));
    const lanes = byNode.size + idle.length;
    // So that what all brokers may bring leaves room for one more: the next comes while this one is read, and no broker
    // that has nothing keeps another one waiting.
    const shareBytes = Math.min(fetchMaxBytes, Math.ceil(maxBufferedBytes / (lanes + 1)));
    for (const [nodeId, some] of byNode) {
      const lane = this.#laneTo(nodeId);
      if (lane.isBusy) continue;
      const neededBytes = some.reduce((most, at) => Math.max(most, at.neededBytes), 0);
      const maxBytes = Math.max(shareBytes, neededBytes);
      // A few partitions share what many would.
      const evenBytes = Math.floor(maxBytes / some.length);
      const each = Math.min(Math.max(partitionMaxBytes, neededBytes, evenBytes), maxBytes);
      if (this.#hasRoom(maxBytes)) void this.#ask(lane, some, { maxBytes, partitionMaxBytes: each });
    }
  }

  /** Whom to ask; undefined as long as something has to be looked up first. */
  #nodeOf(at: FetchPartition, nowMs: Millis): number | undefined {
    const leaderId = this.#options.parts.cluster.leaderIdOf(at.topic, at.partition);
    if (leaderId === undefined || !this.#positioner.isSettled(at)) return undefined;
    if (at.replica !== undefined && at.replica.untilMs <= nowMs) at.replica = undefined;
    return at.replica?.nodeId ?? leaderId;
  }

  async #settle(at: FetchPartition): Promise<void> {
    at.isHeld = true;
    try {
      await this.#positioner.settle(at);
    } catch (error) {
      this.#fail(at, error as Error);
    } finally {
      at.isHeld = false;
      // A position may have moved back, and an end may have been reached.
      this.#options.buffer.dropStale();
      this.#options.tell();
      this.schedule();
    }
  }

  #laneTo(nodeId: number): Lane {
    let lane = this.#lanes.get(nodeId);
    if (lane === undefined) {
      const { cluster } = this.#options.parts;
      lane = new Lane(nodeId, { cluster, settings: this.#options.settings, signal: this.#life.signal });
      this.#lanes.set(nodeId, lane);
    }
    return lane;
  }

  #hasRoom(maxBytes: number): boolean {
    const { buffer, settings } = this.#options;
    const hasRoom = () => {
      const takenBytes = buffer.heldBytes + this.#askedBytes;
      return takenBytes === 0 || takenBytes + maxBytes <= settings.maxBufferedBytes;
    };
    if (!hasRoom() && this.isAwaited && !buffer.hasSome) buffer.dropPaused();
    return hasRoom();
  }

  async #ask(lane: Lane, some: readonly FetchPartition[], sizes: FetchSizes): Promise<void> {
    const asked = some.map((at) => ({ at, life: at.life }));
    const { maxBytes } = sizes;
    lane.isBusy = true;
    this.#askedBytes += maxBytes;
    for (const at of some) at.isAsked = true;
    try {
      const answer = await lane.fetch(some, sizes);
      if (answer !== undefined && this.#failure === undefined) this.#answered(asked, answer);
    } catch (error) {
      // It may have gone for good, and others lead.
      for (const { at } of asked) {
        this.#options.parts.cluster.forget(at.topic);
        at.replica = undefined;
        this.#fail(at, error as Error);
      }
    } finally {
      lane.isBusy = false;
      this.#askedBytes -= maxBytes;
      for (const at of some) at.isAsked = false;
      this.schedule();
    }
  }

  #answered(asked: readonly Asked[], answer: LaneAnswer): void {
    const holding = this.#options.buffer.hold(answer.recordBytes, answer.giveBack);
    for (const { at, life } of asked) {
      // It was moved meanwhile, or is not read any more.
      if (at.life !== life || !this.#isRead(at)) continue;
      const told = answer.answerOf(at);
      try {
        if (told === undefined && answer.isWhole) throw refusalOf(ErrorCode.UNKNOWN_SERVER_ERROR, at);
        if (told !== undefined && told.errorCode !== ErrorCode.NONE) this.#refuse(at, told, answer);
        else this.#receive(at, told, { answer, holding });
      } catch (error) {
        if (error instanceof BadBatch) this.refused(error);
        else this.#fail(at, error as Error);
      }
    }
    holding.release();
    this.#options.tell();
  }

  #receive(
    at: FetchPartition,
    told: PartitionAnswer | undefined,
    { answer, holding }: { answer: LaneAnswer; holding: Holding },
  ): void {
    at.succeeded();
    if (told !== undefined) {
      at.highWatermark = told.highWatermark;
      at.lastStableOffset = told.lastStableOffset;
      if (told.preferredReadReplica >= 0) return this.#goTo(at, told.preferredReadReplica);
      const isCommitted = this.#options.settings.isolation === 'read_committed';
      const aborted = (isCommitted ? told.abortedTransactions : null) ?? NOTHING_ABORTED;
      if (told.records !== null && told.records.length > 0) {
        at.stuckSinceMs = undefined;
        this.#watched(at, told, answer);
        this.#options.buffer.add(at, told.records, { aborted, holding });
        // The others come first the next time.
        this.partitions.delete(titleOf(at));
        this.partitions.set(titleOf(at), at);
        return;
      }
    }
    if (answer.recordBytes === 0 && !answer.isThrottled) this.#patience.gotNothing(at);
  }

  #watched(at: FetchPartition, told: PartitionAnswer, { nodeId }: LaneAnswer): void {
    const channel = this.#options.parts.cluster.diagnostics?.fetch;
    if (!channel?.hasSubscribers) return;
    const { topic, partition, fetchOffset } = at;
    const { highWatermark, records } = told;
    channel.publish({
      topic,
      partition,
      nodeId,
      fetchOffset,
      sizeBytes: records?.length ?? 0,
      highWatermark,
    });
  }

  #goTo(at: FetchPartition, nodeId: number): void {
    at.replica = { nodeId, untilMs: this.#options.parts.clock.now() + REPLICA_FOR_MS };
  }

  /** An error of one partition. */
  #refuse(at: FetchPartition, told: PartitionAnswer, { nodeEndpoints }: LaneAnswer): void {
    const { cluster } = this.#options.parts;
    const { topic, partition } = at;
    const { errorCode } = told;
    const wasReplica = at.replica !== undefined;
    at.replica = undefined;
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A replica may lag behind its leader, who knows. And what is buffered is read before the position moves.
      at.isDraining = at.position < at.fetchOffset;
      if (!wasReplica && !at.isDraining) this.#positioner.leave(at, 'its log begins later, or ends before');
      return at.isDraining ? undefined : this.#fail(at, refusalOf(errorCode, at));
    }
    const { leaderId, leaderEpoch } = told.currentLeader;
    // Who is told the new leader need not ask, nor wait (KIP-951).
    if (leaderId >= 0 && cluster.learn({ topic, partition, leaderId, leaderEpoch }, nodeEndpoints)) return;
    if (errorInfo(errorCode).refreshes) cluster.forget(topic);
    this.#fail(at, refusalOf(errorCode, at));
  }

  #fail(at: FetchPartition, error: Error): void {
    if (this.#isRead(at)) this.#patience.fail(at, error);
  }

  /** Whether it is read still. */
  #isRead(at: FetchPartition): boolean {
    return this.partitions.get(titleOf(at)) === at;
  }

  #wakeAt(atMs: Millis): void {
    if (this.#alarm?.atMs === atMs) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (atMs === Infinity) return;
    const cancel = this.#options.parts.clock.at(atMs, () => {
      this.#alarm = undefined;
      this.schedule();
    });
    this.#alarm = { atMs, cancel };
  }
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
