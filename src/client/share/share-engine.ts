import type { Millis, Uuid } from '../../model/ids.ts';
import type { EngineParts } from '../client-parts.ts';
import { mayRetry } from '../errors.ts';
import { Coordinator } from '../group/coordinator.ts';
import { findCoordinator } from '../group/find-coordinator.ts';
import { abortable, pause, within } from '../retry.ts';
import type { OnInvalid, SendRaw } from '../topics/on-invalid.ts';
import { settleInvalid } from '../topics/on-invalid.ts';
import { invalidIn } from '../topics/topic.ts';
import { type DeliveredBatch, type SharedPartition, ShareLane } from './share-lane.ts';
import { ShareMembership, type SharePartitions } from './share-membership.ts';
import type { LostAcknowledgement, ShareSettings } from './share-options.ts';
import { ShareRecord } from './share-record.ts';

export interface ShareEngineParts extends EngineParts {
  send: SendRaw;
}

export interface ShareEngineOptions<K, V> {
  settings: ShareSettings<K, V>;
  onInvalid: OnInvalid | undefined;
  onLost: ((lost: LostAcknowledgement) => void) | undefined;
  /** Ends what waits. */
  signal: AbortSignal;
  /** It cannot go on. */
  failed: (error: unknown) => void;
}

type Handler<K, V> = (record: ShareRecord<K, V>) => unknown;

/** Partitions without a leader are looked for again after so long. */
const LOOK_AGAIN_MS = 1_000;

/** What a share consumer works with: its member of the group, and what it was given by each broker. */
export class ShareEngine<K, V> {
  readonly #parts: ShareEngineParts;
  readonly #given: ShareEngineOptions<K, V>;
  readonly #memberId: string;
  readonly #coordinator: Coordinator;
  readonly #membership: ShareMembership;
  readonly #lanes = new Map<number, ShareLane<K, V>>();
  #assigned: readonly SharePartitions[] = [];
  #queue: (DeliveredBatch<K, V> & { lane: ShareLane<K, V> })[] = [];
  /** The next record of the first batch. */
  #at = 0;
  #buffered = 0;
  #working = 0;
  #last: ShareRecord<K, V> | undefined;
  /** Whoever waits for records, in the order they came. */
  #waiting: PromiseWithResolvers<void>[] = [];
  #idle = Promise.withResolvers<void>();
  #isHeld = false;

  constructor(parts: ShareEngineParts, given: ShareEngineOptions<K, V>) {
    this.#parts = parts;
    this.#given = given;
    const { clock, cluster } = parts;
    const { groupId, topics } = given.settings;
    this.#memberId = parts.random.uuid();
    const find = () => findCoordinator(cluster, groupId);
    this.#coordinator = new Coordinator({ ...parts, find, owner: 'the share consumer' });
    this.#membership = new ShareMembership({
      coordinator: this.#coordinator,
      clock,
      groupId,
      memberId: this.#memberId,
      topics,
      assigned: (partitions) => this.#assign(partitions),
      signal: given.signal,
    });
  }

  get isFailing(): boolean {
    return this.#coordinator.isFailing || [...this.#lanes.values()].some(({ isFailing }) => isFailing);
  }

  get isMember(): boolean {
    return this.#membership.isMember;
  }

  start(): void {
    this.#membership.run().catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!this.#given.signal.aborted) this.#given.failed(error);
  }

  #assign(partitions: readonly SharePartitions[]): void {
    this.#assigned = partitions;
    this.#spread().catch((error: unknown) => this.#failed(error));
  }

  /** Each broker has its lane, which is told what to read there. */
  async #spread(): Promise<void> {
    const assigned = this.#assigned;
    const names = await this.#names();
    const byLeader = new Map<number, SharedPartition[]>();
    let hasAll = true;
    for (const { topicId, partitions } of assigned) {
      const topic = names.get(topicId);
      for (const partition of partitions) {
        const leaderId = topic === undefined ? undefined : this.#parts.cluster.leaderIdOf(topic, partition);
        if (topic === undefined || leaderId === undefined) {
          hasAll = false;
          continue;
        }
        byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), { topicId, topic, partition }]);
      }
    }
    if (assigned !== this.#assigned || this.#isHeld) return;
    for (const nodeId of byLeader.keys()) if (!this.#lanes.has(nodeId)) this.#open(nodeId);
    for (const [nodeId, lane] of this.#lanes) lane.assign(byLeader.get(nodeId) ?? []);
    if (hasAll) return;
    await pause(this.#parts.clock, LOOK_AGAIN_MS, this.#given.signal);
    if (assigned === this.#assigned) await this.#spread();
  }

  /** Of the topics it subscribes to, by id, as far as they are there. */
  async #names(): Promise<Map<Uuid, string>> {
    const { cluster } = this.#parts;
    const names = new Map<Uuid, string>();
    for (const name of this.#given.settings.topics) {
      const known = await cluster.topic(name, { mayCreate: false }).catch((error: unknown) => {
        if (mayRetry(error)) return undefined;
        throw error;
      });
      if (known !== undefined) names.set(known.id, name);
    }
    return names;
  }

  #open(nodeId: number): void {
    const { settings, signal, onLost } = this.#given;
    const lane: ShareLane<K, V> = new ShareLane<K, V>(nodeId, {
      parts: this.#parts,
      settings,
      memberId: this.#memberId,
      wantsRecords: () => this.#wantsRecords,
      delivered: (batches) => this.#delivered(lane, batches),
      lost: (lost) => onLost?.(lost),
      dropped: () => this.#dropped(lane),
      signal,
    });
    this.#lanes.set(nodeId, lane);
    lane.run().catch((error: unknown) => {
      this.#lanes.delete(nodeId);
      lane.close();
      this.#failed(error);
    });
  }

  /**
   * Only once all is worked off: what was said of it goes along, and nothing is held here for which others wait. How
   * much may be in delivery is bounded, so what one keeps back would hold up all.
   */
  get #wantsRecords(): boolean {
    return !this.#isHeld && this.#waiting.length > 0 && this.#buffered === 0;
  }

  #ring(): void {
    for (const lane of this.#lanes.values()) lane.ring();
  }

  #delivered(lane: ShareLane<K, V>, batches: readonly DeliveredBatch<K, V>[]): void {
    for (const { batch, delivery } of batches) {
      this.#buffered += batch.length;
      this.#queue.push({ batch, delivery, lane });
    }
    if (batches.length > 0) for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  /** What came over a lane that was cut, and was not handed out, others have. */
  #dropped(lane: ShareLane<K, V>): void {
    const [first] = this.#queue;
    if (first?.lane === lane) {
      this.#buffered += this.#at;
      this.#at = 0;
    }
    this.#queue = this.#queue.filter((one) => {
      if (one.lane === lane) this.#buffered -= one.batch.length;
      return one.lane !== lane;
    });
  }

  /** The next record, if it is here. */
  #pull(): ShareRecord<K, V> | undefined {
    const [first] = this.#queue;
    if (first === undefined || this.#isHeld) return undefined;
    const record = new ShareRecord(first.batch, this.#at++, first.delivery);
    this.#buffered--;
    if (this.#at >= first.batch.length) {
      this.#queue.shift();
      this.#at = 0;
    }
    return record;
  }

  /** @throws InvalidRecord; what the signal says. */
  async #take(): Promise<ShareRecord<K, V>> {
    for (;;) {
      const record = this.#pull();
      if (record === undefined) {
        const waiting = Promise.withResolvers<void>();
        this.#waiting.push(waiting);
        this.#ring();
        await abortable(waiting.promise, this.#given.signal);
        continue;
      }
      const { deserializers } = record.batch;
      if (deserializers.isPlain || (await this.#isValid(record, deserializers.onInvalid))) return record;
    }
  }

  /** What is none is dealt with, and done. @throws InvalidRecord, when nobody may have it. */
  async #isValid(record: ShareRecord<K, V>, byTopic: OnInvalid): Promise<boolean> {
    const found = invalidIn(record);
    if (found === undefined) return true;
    try {
      await settleInvalid(found, this.#given.onInvalid ?? byTopic, this.#parts.send);
    } catch (error) {
      record.release();
      throw error;
    }
    record.accept();
    return false;
  }

  /** The record that was handed out last is done with. */
  acceptLast(): void {
    if (this.#given.settings.isImplicit) this.#last?.accept();
    this.#last = undefined;
  }

  /** The next record, if it is here and nothing has to be waited for. */
  nextNow(): ShareRecord<K, V> | undefined {
    const [first] = this.#queue;
    if (first?.batch.deserializers.isPlain !== true) return undefined;
    return (this.#last = this.#pull());
  }

  async next(): Promise<ShareRecord<K, V>> {
    return (this.#last = await this.#take());
  }

  /** Calls a handler for each record: what it does with is accepted, what it throws at is released. */
  async work(handler: Handler<K, V>, concurrency: number): Promise<void> {
    const worker = async () => {
      for (;;) {
        const record = await this.#take();
        this.#working++;
        try {
          const outcome = handler(record);
          if (outcome instanceof Promise) await outcome;
          if (this.#given.settings.isImplicit) record.accept();
        } catch {
          record.release();
        }
        this.#working--;
        if (this.#working === 0) this.#idle.resolve();
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  /** Nothing more is asked for, nor handed out. */
  hold(): void {
    this.#isHeld = true;
    for (const lane of this.#lanes.values()) lane.hold();
  }

  /** Waits for what is worked on, says what is left to be said, and leaves. */
  async finish(untilMs: Millis, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    if (this.#working > 0) {
      this.#idle = Promise.withResolvers();
      const timeoutMs = Math.max(0, untilMs - clock.now());
      await within(this.#idle.promise, { clock, timeoutMs, signal }).catch(() => {});
    }
    try {
      for (const lane of this.#lanes.values()) await abortable(lane.finish(signal), signal);
    } finally {
      await this.#membership.leave(signal).catch(() => {});
    }
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
    this.#coordinator.close();
  }
}
