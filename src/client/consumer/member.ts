import type { Coordinator } from '../group/coordinator.ts';
import { ConsumerMembership, type ConsumerMembershipOptions } from '../group/consumer-membership.ts';
import { Membership, type MembershipOptions, type MemberWork } from '../group/membership.ts';
import { type AskOptions, commitOffsets, type GroupPosition, NO_MEMBER } from '../group/offsets.ts';
import { invalidArgument } from '../errors.ts';
import type { TopicPartition } from '../topic-partition.ts';

/** How a consumer comes to its partitions: as a member of a group, or by itself. */
export type Member = Pick<Membership, 'commit' | 'hold' | 'identity' | 'isStable' | 'leave' | 'look' | 'run'>;

/** By the protocol that its options name. */
export function membershipOf(
  options: MembershipOptions & ConsumerMembershipOptions & { groupProtocol: 'classic' | 'consumer' },
  work: MemberWork,
): Member {
  return options.groupProtocol === 'consumer'
    ? new ConsumerMembership(options, work)
    : new Membership(options, work);
}

/** Has what it was told to have; nobody shares it, and nobody takes it away. */
export class LoneMember implements Member {
  readonly isStable = true;
  readonly identity = NO_MEMBER;
  readonly #partitions: readonly TopicPartition[];
  readonly #work: Pick<MemberWork, 'assigned'>;
  readonly #group: { coordinator: Coordinator; groupId: string } | undefined;
  readonly #over = Promise.withResolvers<void>();

  /** @param group where it commits, if anywhere. */
  constructor(
    partitions: readonly TopicPartition[],
    work: Pick<MemberWork, 'assigned'>,
    group: { coordinator: Coordinator; groupId: string } | undefined,
  ) {
    this.#partitions = partitions;
    this.#work = work;
    this.#group = group;
  }

  run(): Promise<void> {
    this.#work.assigned(this.#partitions);
    return this.#over.promise;
  }

  look(): void {}

  hold(): void {}

  leave(): Promise<void> {
    this.#over.resolve();
    return this.#over.promise;
  }

  /** @throws BrokerError UNKNOWN_MEMBER_ID when the group has members: positions are theirs then. */
  async commit(positions: readonly GroupPosition[], { signal }: AskOptions = {}): Promise<void> {
    if (this.#group === undefined)
      throw invalidArgument('nothing can be committed without a group', 'give the consumer a group');
    const { coordinator, groupId } = this.#group;
    await commitOffsets(coordinator, groupId, { positions, by: NO_MEMBER, signal });
  }
}
