import { assignorsOf } from '../../../src/client/group/assignors/by-name.ts';
import type { AssignorChoice } from '../../../src/client/group/assignors/choice.ts';
import { Coordinator } from '../../../src/client/group/coordinator.ts';
import { findCoordinator } from '../../../src/client/group/find-coordinator.ts';
import { Membership, type MembershipOptions, type MemberWork } from '../../../src/client/group/membership.ts';
import { ConsumerMembership } from '../../../src/client/group/consumer-membership.ts';
import { pause } from '../../../src/client/retry.ts';
import { titleOf, type TopicPartition } from '../../../src/client/topic-partition.ts';
import { clusterOf } from '../fake-client.ts';
import { type FakeCluster, TOPIC } from '../fake-cluster.ts';

export interface MemberOptions extends Partial<Omit<MembershipOptions, 'assignors'>> {
  assignors?: AssignorChoice[];
  groupProtocol?: 'classic' | 'consumer';
  remoteAssignor?: string | null;
  /** How long it takes to finish what is under way. */
  workMs?: number;
  /** Resolved by the broker, instead of the names it wants. */
  remotePattern?: string;
}

/** A member whose work is to write down what happens to it, in virtual time. */
export class FakeMember implements MemberWork {
  readonly remotePattern: string | undefined;
  readonly events: string[] = [];
  readonly owned = new Map<string, TopicPartition>();
  readonly membership: Membership | ConsumerMembership;
  readonly over: Promise<unknown>;
  wanted: string[] = [TOPIC];
  workMs: number;
  /** What it commits when it gives partitions up. */
  position = 1;
  readonly #fake: FakeCluster;
  readonly #coordinator: Coordinator;
  readonly #cluster: ReturnType<typeof clusterOf>;
  #isLost = new AbortController();
  /** What it came to. */
  failure: unknown;

  constructor(
    fake: FakeCluster,
    {
      assignors = ['cooperative-sticky'],
      groupProtocol = 'classic',
      workMs = 0,
      retryForMs = 30_000,
      remotePattern,
      ...options
    }: MemberOptions = {},
  ) {
    this.#fake = fake;
    this.workMs = workMs;
    this.remotePattern = remotePattern;
    const { scheduler: clock, random } = fake;
    this.#cluster = clusterOf(fake);
    const groupId = 'group';
    const cluster = this.#cluster;
    const home = { cluster, clock, random, retryForMs, groupId };
    const find = () => findCoordinator(cluster, groupId);
    this.#coordinator = new Coordinator({ ...home, find, owner: 'the consumer' });
    const all = {
      ...home,
      coordinator: this.#coordinator,
      instanceId: null,
      rackId: null,
      remoteAssignor: null,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      heartbeatIntervalMs: 1_000,
      metadataMaxAgeMs: 60_000,
      ...options,
      assignors: assignorsOf(assignors),
    };
    this.membership =
      groupProtocol === 'consumer' ? new ConsumerMembership(all, this) : new Membership(all, this);
    this.over = this.membership.run().catch((error: unknown) => (this.failure = error));
  }

  topics(): Promise<string[]> {
    return Promise.resolve(this.wanted);
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.events.push(`+ ${partitions.map(titleOf).join(' ')}`);
    for (const one of partitions) this.owned.set(titleOf(one), one);
  }

  async revoked(partitions: readonly TopicPartition[], untilMs: number): Promise<void> {
    this.events.push(`- ${partitions.map(titleOf).join(' ')}`);
    const { scheduler } = this.#fake;
    const workMs = Math.min(this.workMs, untilMs - scheduler.now());
    await pause(scheduler, workMs, this.#isLost.signal).catch(() => {});
    const positions = partitions.map((one) => ({ ...one, offset: this.position, leaderEpoch: -1 }));
    await this.membership.commit(positions);
    for (const one of partitions) this.owned.delete(titleOf(one));
  }

  lost(partitions: readonly TopicPartition[]): void {
    this.events.push(`! ${partitions.map(titleOf).join(' ')}`);
    for (const one of partitions) this.owned.delete(titleOf(one));
    this.#isLost.abort();
    this.#isLost = new AbortController();
  }

  get titles(): string[] {
    return [...this.owned.keys()].sort();
  }

  async leave(): Promise<void> {
    await this.membership.leave({});
    this.owned.clear();
    this.close();
  }

  /** Dies without a word. */
  close(): void {
    this.#coordinator.close();
    this.#cluster.close();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Time passes until it is so. @throws when it is not after an hour. */
export async function until(fake: FakeCluster, isSo: () => boolean): Promise<void> {
  const { scheduler } = fake;
  const deadlineMs = scheduler.now() + 3_600_000;
  await turn();
  if (isSo()) return;
  await scheduler.run(() => isSo() || scheduler.now() > deadlineMs, turn);
  if (!isSo()) throw new Error('an hour has passed in vain');
}
