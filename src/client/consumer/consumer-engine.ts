import type { Millis } from '../../model/ids.ts';
import type { EngineParts } from '../client-parts.ts';
import { mayRetry, MilenaError } from '../errors.ts';
import { Fetcher } from '../fetch/fetcher.ts';
import { policyOf } from '../fetch/position.ts';
import { assignorsOf } from '../group/assignors/by-name.ts';
import { Coordinator } from '../group/coordinator.ts';
import { findCoordinator } from '../group/find-coordinator.ts';
import type { Identity } from '../group/offsets.ts';
import { verdictOn } from '../group/verdict.ts';
import { abortable } from '../retry.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { SendRaw } from '../topics/on-invalid.ts';
import { Iteration } from './iteration.ts';
import { LoneMember, type Member, membershipOf } from './member.ts';
import type { ConsumerOptions, ConsumerSettings } from './options.ts';
import type { Handler, RunSettings } from './run-options.ts';
import { Runner } from './runner.ts';
import { Share } from './share.ts';

export interface ConsumerEngineParts extends EngineParts {
  send: SendRaw;
}

export interface ConsumerEngineOptions<K, V> {
  options: ConsumerOptions<K, V>;
  settings: ConsumerSettings<K, V>;
  /** Ends what waits. */
  signal: AbortSignal;
  /** It cannot go on. */
  failed: (error: unknown) => void;
}

const UNKNOWN_TOPIC: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']);

/** What a consumer works with from when it is read: its member of the group, its share, and what fetches for it. */
export class ConsumerEngine<K, V> {
  readonly share: Share<K, V>;
  readonly #parts: ConsumerEngineParts;
  readonly #given: ConsumerEngineOptions<K, V>;
  readonly #fetcher: Fetcher<K, V>;
  readonly #coordinator: Coordinator | undefined;
  readonly #member: Member;
  #cancelCommit: (() => void) | undefined;
  #isHeld = false;

  constructor(parts: ConsumerEngineParts, given: ConsumerEngineOptions<K, V>) {
    const { options, settings, signal, failed } = given;
    const { groupId, manual, subscription, from, commitIntervalMs, deserializersOf } = settings;
    const { isolation = 'read_uncommitted', outOfRange = policyOf(from) } = options;
    const retried = (_: TopicPartition, error: Error) => {
      if (error instanceof MilenaError && UNKNOWN_TOPIC.has(error.code)) this.#member.look();
    };
    this.#parts = parts;
    this.#given = given;
    this.#fetcher = new Fetcher(parts, { ...options, outOfRange, deserializersOf, retried });
    const coordinatorOf = (id: string) =>
      new Coordinator({
        ...parts,
        find: () => findCoordinator(parts.cluster, id),
        owner: 'the consumer',
      });
    const group = groupId === undefined ? undefined : { groupId, coordinator: coordinatorOf(groupId) };
    this.#coordinator = group?.coordinator;
    this.share = new Share({
      parts,
      fetcher: this.#fetcher,
      group,
      subscription,
      from,
      isolation,
      isAutoCommit: commitIntervalMs !== undefined,
      signal,
      failed,
    });
    for (const one of manual ?? []) if (one.from !== undefined) this.share.beginAt(one, one.from);
    this.#member =
      manual !== undefined || group === undefined
        ? new LoneMember(manual ?? [], this.share, group)
        : this.#membership(group);
    this.share.member = this.#member;
  }

  /** Something is being tried again. */
  get isFailing(): boolean {
    return this.#coordinator?.isFailing || this.#fetcher.isFailing;
  }

  /** It has what the group gives it. */
  get isStable(): boolean {
    return this.#member.isStable;
  }

  /** Who commits; undefined while it is in no generation of its group. */
  get identity(): Identity | undefined {
    return this.#member.identity;
  }

  /** Comes to its partitions, and commits from time to time what is acked. */
  start(): void {
    this.#member.run().catch(this.#given.failed);
    this.#commitLater();
  }

  /** Hands records out one by one. */
  iterate(): Iteration<K, V> {
    const { options, signal, settings } = this.#given;
    const { onInvalid } = options;
    const { groupId } = settings;
    const { send, tracing } = this.#parts;
    const iteration = new Iteration({ share: this.share, onInvalid, send, tracing, groupId, signal });
    this.share.taker = iteration;
    return iteration;
  }

  /** Calls a handler for each record, until all ends. */
  run(handler: Handler<K, V>, settings: RunSettings): void {
    const { options, signal, failed, settings: own } = this.#given;
    const { onInvalid } = options;
    const parts = { ...this.#parts, share: this.share, onInvalid, failed, groupId: own.groupId };
    const runner = new Runner(parts, handler, settings);
    this.share.taker = runner;
    void runner.run(signal);
  }

  /** Nothing new is begun. */
  hold(): void {
    this.#isHeld = true;
    this.#cancelCommit?.();
    this.#member.hold();
  }

  /**
   * Waits for what is worked on, commits what is acked, and leaves, unless `failure` says that brokers were not there
   * for so long that they need not be told: the session ends by itself.
   * @throws why what was acked is not committed.
   */
  async finish(
    untilMs: Millis,
    { signal, failure }: { signal: AbortSignal; failure: unknown },
  ): Promise<void> {
    const partitions = await this.share.drain(untilMs);
    try {
      if (this.#given.settings.commitIntervalMs !== undefined)
        await abortable(this.share.commit({ partitions, signal }), signal);
    } finally {
      if (!mayRetry(failure)) await this.#member.leave({ signal }).catch(() => {});
    }
  }

  close(): void {
    this.#fetcher.close();
    this.#coordinator?.close();
  }

  #membership(group: { groupId: string; coordinator: Coordinator }): Member {
    const { options, settings } = this.#given;
    const assignors = assignorsOf(settings.assignors);
    const rackId = options.rack ?? null;
    return membershipOf({ ...this.#parts, ...settings, ...group, assignors, rackId }, this.share);
  }

  #commitLater(): void {
    const { clock } = this.#parts;
    const { commitIntervalMs } = this.#given.settings;
    if (commitIntervalMs === undefined || this.#isHeld) return;
    this.#cancelCommit = clock.at(clock.now() + commitIntervalMs, () => void this.#autoCommit());
  }

  async #autoCommit(): Promise<void> {
    try {
      await this.share.commit();
    } catch (error) {
      const verdict = verdictOn(error);
      // What it had is lost, which it knows by now.
      if (verdict !== 'lost' && verdict !== 'unknown') this.#given.failed(error);
    }
    this.#commitLater();
  }
}
