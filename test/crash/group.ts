import { setImmediate } from 'node:timers/promises';
import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { CommitLedger, CommitMark } from './commit-ledger.ts';
import type { SeededRandom } from '../support/random.ts';
import type { RoundProgress } from './round.ts';
import { logOf } from './writer.ts';

export interface GroupParts {
  kafka: Kafka;
  group: string;
  topics: readonly string[];
  commits: CommitLedger;
  random: SeededRandom;
  onFault: (fault: string) => void;
}

const FETCH_MAX_BYTES = 64 * 1024;

/** A kafkajs group of a few members that live through the deaths of the broker and commit as they go. */
export class Group {
  readonly #parts: GroupParts;
  #members: Member[] = [];
  #progress: RoundProgress | undefined;
  /** Members on their way out; a dead broker keeps them waiting. */
  #leaving: Promise<void>[] = [];
  /** Members that kafkajs ended by itself, each replaced at once. */
  gaveUp = 0;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  resume(progress: RoundProgress): void {
    this.#progress = progress;
  }

  add(): void {
    const member = new Member(this.#parts, {
      onCommit: () => this.#progress?.groupCommitted(),
      onEnd: () => this.#replace(member),
    });
    this.#members.push(member);
    member.start();
  }

  #replace(member: Member): void {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    this.gaveUp++;
    this.add();
  }

  removeOldest(): void {
    const member = this.#members.shift();
    if (member !== undefined) this.#leaving.push(member.stop());
  }

  /** One past the last record of a log that a member has had; as none may be passed over, all before it too. */
  position(log: string): number {
    const { commits, group } = this.#parts;
    return Math.max(
      commits.acked(group, log),
      ...this.#members.map((member) => member.positions.get(log) ?? 0),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#leaving, ...this.#members.map((member) => member.stop())]);
  }
}

interface MemberEvents {
  onCommit: () => void;
  /** kafkajs has ended it by itself. */
  onEnd: () => void;
}

/**
 * One consumer. Whatever happens to the broker, what it is given of a log goes on where the last batch ended; after
 * a join, exactly where the group had committed.
 */
class Member {
  readonly positions = new Map<string, number>();
  readonly #parts: GroupParts;
  readonly #events: MemberEvents;
  readonly #consumer: Consumer;
  readonly #joinedAt = new Map<string, CommitMark>();
  #started: Promise<void> | undefined;
  /** Set while kafkajs starts it again. */
  #restarting: PromiseWithResolvers<void> | undefined;

  constructor(parts: GroupParts, events: MemberEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#consumer = parts.kafka.consumer({
      groupId: parts.group,
      maxBytesPerPartition: FETCH_MAX_BYTES,
      maxWaitTimeInMs: 50,
      heartbeatInterval: 300,
      sessionTimeout: 10_000,
      rebalanceTimeout: 5_000,
      retry: {
        initialRetryTime: 30,
        maxRetryTime: 300,
        retries: 10_000,
        restartOnFailure: async () => true,
      },
    });
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, (event) => this.#joined(event));
    this.#consumer.on(this.#consumer.events.CRASH, (event) => this.#crashed(event));
  }

  start(): void {
    this.#started = this.#run().catch((error) => this.#parts.onFault(`kafkajs gave up consuming: ${error}`));
  }

  /** kafkajs forgets a stop that comes while it starts a consumer again, which then lives on in the group. */
  async stop(): Promise<void> {
    await this.#started;
    while (this.#restarting !== undefined) {
      await this.#restarting.promise;
      await setImmediate();
    }
    await this.#consumer.disconnect();
  }

  /**
   * A broker that dies while kafkajs asks it for the coordinator ends the consumer for good, whatever its retries say
   * ("Failed to find group coordinator" is no error it retries).
   */
  #crashed({ payload }: ConsumerCrashEvent): void {
    if (payload.restart) {
      this.#restarting ??= Promise.withResolvers();
    } else {
      this.#restarted();
      this.#events.onEnd();
    }
  }

  #restarted(): void {
    this.#restarting?.resolve();
    this.#restarting = undefined;
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#parts.topics], fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachBatch: (payload) => this.#take(payload) });
  }

  #joined({ payload }: ConsumerGroupJoinEvent): void {
    this.#restarted();
    const { commits, group } = this.#parts;
    this.positions.clear();
    this.#joinedAt.clear();
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        const log = logOf({ topic, partition });
        this.#joinedAt.set(log, commits.mark(group, log));
      }
    }
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { topic, partition } = batch;
    const { commits, group, random } = this.#parts;
    const log = logOf({ topic, partition });
    const since = this.#joinedAt.get(log);
    const offsets = batch.messages.map(({ offset }) => Number(offset));
    const [first = 0] = offsets;
    const end = first + offsets.length;
    if (since === undefined) return;
    this.#check(log, since, offsets);
    const offset = random.chance(0.5) ? end : random.integer(first + 1, end);
    const acknowledge = commits.sent(group, log, offset);
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
    });
    acknowledge();
    this.positions.set(log, end);
    this.#events.onCommit();
  }

  #check(log: string, since: CommitMark, offsets: readonly number[]): void {
    const { commits, group, onFault } = this.#parts;
    const [first = 0] = offsets;
    const position = this.positions.get(log);
    if (position !== undefined && first !== position)
      onFault(`${group} was at ${log} ${position} and is given ${first}`);
    const starts = since < 0 && first === 0;
    if (position === undefined && !starts && !commits.mayBe(group, log, { since, offset: first }))
      onFault(`${group} resumes ${log} at ${first}: ${commits.describe(group, log, since)}`);
    if (offsets.some((offset, index) => offset !== first + index))
      onFault(`${group} is given ${log} with gaps after ${first}`);
  }
}
