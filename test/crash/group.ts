import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { CommitLedger, CommitMark } from './commit-ledger.ts';
import type { SeededRandom } from './random.ts';
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

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  resume(progress: RoundProgress): void {
    this.#progress = progress;
  }

  add(): void {
    const member = new Member(this.#parts, () => this.#progress?.groupCommitted());
    this.#members.push(member);
    member.start();
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

/**
 * One consumer. Whatever happens to the broker, what it is given of a log goes on where the last batch ended; after
 * a join, exactly where the group had committed.
 */
class Member {
  readonly positions = new Map<string, number>();
  readonly #parts: GroupParts;
  readonly #onCommit: () => void;
  readonly #consumer: Consumer;
  readonly #joinedAt = new Map<string, CommitMark>();
  #started: Promise<void> | undefined;

  constructor(parts: GroupParts, onCommit: () => void) {
    this.#parts = parts;
    this.#onCommit = onCommit;
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
  }

  start(): void {
    this.#started = this.#run().catch((error) => this.#parts.onFault(`kafkajs gave up consuming: ${error}`));
  }

  async stop(): Promise<void> {
    await this.#started;
    await this.#consumer.disconnect();
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#parts.topics], fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachBatch: (payload) => this.#take(payload) });
  }

  #joined({ payload }: ConsumerGroupJoinEvent): void {
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
    this.#onCommit();
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
