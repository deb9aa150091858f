import { invariant } from '../model/assert.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { Due } from './context.ts';
import type { Deadline } from './deadlines.ts';
import type { Member, Protocol } from './member.ts';
import { Positions } from './positions.ts';
import type { GroupMetadata, OffsetAndMetadata } from './records.ts';
import type { ShareGroup } from './share-group.ts';
import type { UnstableOffset } from './unstable-offsets.ts';

/** As DescribeGroups and ListGroups print them. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

interface GroupDeadlines {
  join: Deadline<Due>;
  sync: Deadline<Due>;
}

/**
 * A group and its positions. As a classic one: who is in it and how far they are with the current rebalance.
 * Knows no request and no reply; the rules that move it are in `classic.ts`. `stored` and `positions` are what
 * its log says, and `apply` alone changes them. Of a group of KIP-848 all that is in `consumer`, and the
 * classic part is empty.
 */
export class Group {
  readonly groupId: string;
  stored: GroupMetadata | undefined;
  /** What it is by the protocol of KIP-848, if it is. */
  consumer: ConsumerGroup | undefined;
  /** What it is as a share group, if it is one. */
  share: ShareGroup | undefined;
  readonly positions = new Positions();
  /** topic -> partition -> positions of transactions that are open, as they came. */
  readonly unstable = new Map<string, Map<number, UnstableOffset[]>>();

  /** How often it has changed in its state, or in who is in it. */
  version = 0;
  state: GroupState = 'Empty';
  previousState: GroupState = 'Dead';
  stateAtMs: Millis;
  generationId = 0;
  /** Empty for a group that only stores offsets. */
  protocolType = '';
  protocol: string | null = null;
  leader: string | null = null;
  /** Ids that were handed out with MEMBER_ID_REQUIRED (KIP-394); a rebalance waits for them. */
  readonly pending = new Map<string, Deadline<Due>>();
  /** Members of this generation that have not sent SyncGroup. */
  readonly pendingSync = new Set<string>();
  /** Of the initial rebalance: how much longer it may wait for more members; undefined in any other. */
  initialRemainingMs: number | undefined;
  newMemberAdded = false;
  readonly joinDeadline: Deadline<Due>;
  readonly syncDeadline: Deadline<Due>;

  readonly #members = new Map<string, Member>();
  /** groupInstanceId -> memberId. */
  readonly #instances = new Map<string, string>();
  /** Protocol name -> how many members know it. */
  readonly #supporters = new Map<string, number>();

  constructor(groupId: string, deadlines: (group: Group) => GroupDeadlines, nowMs: Millis) {
    this.groupId = groupId;
    this.stateAtMs = nowMs;
    const { join, sync } = deadlines(this);
    this.joinDeadline = join;
    this.syncDeadline = sync;
  }

  /** topic -> partition -> position. */
  get offsets(): ReadonlyMap<string, ReadonlyMap<number, OffsetAndMetadata>> {
    return this.positions.byTopic;
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** Nothing of it is in the log or in anyone's hands. */
  get isBlank(): boolean {
    return (
      this.stored === undefined &&
      this.consumer?.isBlank !== false &&
      this.share?.isBlank !== false &&
      this.positions.isEmpty &&
      this.unstable.size === 0 &&
      this.pending.size === 0 &&
      this.state === 'Empty'
    );
  }

  get rebalanceTimeoutMs(): number {
    let longestMs = 0;
    for (const member of this.#members.values()) longestMs = Math.max(longestMs, member.rebalanceTimeoutMs);
    return longestMs;
  }

  get awaitingJoinCount(): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.join) count++;
    return count;
  }

  get hasAllJoined(): boolean {
    if (this.pending.size > 0) return false;
    for (const member of this.#members.values()) if (!member.join) return false;
    return true;
  }

  /** Whether an open transaction may yet change that position. */
  isUnstable(topic: string, partition: number): boolean {
    return this.unstable.get(topic)?.has(partition) ?? false;
  }

  transition(state: GroupState, nowMs: Millis): void {
    this.previousState = this.state;
    this.state = state;
    this.stateAtMs = nowMs;
    this.version++;
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#instances.get(groupInstanceId);
  }

  add(member: Member): void {
    invariant(!this.#members.has(member.memberId), 'a member is added once');
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.memberId);
    this.leader ??= member.memberId;
    this.version++;
    this.#members.set(member.memberId, member);
    this.#support(member.protocols, 1);
  }

  /** The caller clears its deadline and answers what waits. */
  remove(member: Member): void {
    invariant(this.#members.delete(member.memberId), 'only a member is removed');
    if (member.groupInstanceId !== null) this.#instances.delete(member.groupInstanceId);
    this.#support(member.protocols, -1);
    this.pendingSync.delete(member.memberId);
    this.version++;
    if (this.leader !== member.memberId) return;
    const [first] = this.#members.keys();
    this.leader = first ?? null;
  }

  /** A static member came back: it keeps all but its id. Last in order now, as a replay of the log has it. */
  rename(member: Member, memberId: string): void {
    const oldMemberId = member.memberId;
    this.version++;
    this.#members.delete(oldMemberId);
    member.memberId = memberId;
    this.#members.set(memberId, member);
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, memberId);
    if (this.leader === oldMemberId) this.leader = memberId;
    if (this.pendingSync.delete(oldMemberId)) this.pendingSync.add(memberId);
  }

  replaceProtocols(member: Member, protocols: readonly Protocol[]): void {
    this.#support(member.protocols, -1);
    member.protocols = protocols;
    this.#support(member.protocols, 1);
  }

  /**
   * Whether a member with these may be in the group: at least one protocol that every member knows. All may have left
   * while the first rebalance waits for more: then there is nobody to agree with either.
   */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.#members.size === 0) return protocolType !== '' && protocols.length > 0;
    return (
      protocolType === this.protocolType &&
      protocols.some(({ name }) => this.#supporters.get(name) === this.#members.size)
    );
  }

  /**
   * Each member votes for the first of its protocols that all members know; of equal ones the first named
   * wins.
   */
  electProtocol(): string {
    const votes = new Map<string, number>();
    for (const member of this.#members.values()) {
      const vote = member.protocols.find(({ name }) => this.#supporters.get(name) === this.#members.size);
      invariant(vote, 'members of a group share a protocol');
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    const [first, ...others] = votes;
    invariant(first, 'a protocol is elected by members');
    return others.reduce((best, each) => (each[1] > best[1] ? each : best), first)[0];
  }

  /** Keeps the leader if it has joined, else takes the first member that has; false when nobody has. */
  electLeader(): boolean {
    if (this.leader === null) return false;
    if (this.#members.get(this.leader)?.join) return true;
    for (const member of this.#members.values()) {
      if (!member.join) continue;
      this.leader = member.memberId;
      return true;
    }
    return false;
  }

  /**
   * 25 for who is not in the group, 82 for who was and has been replaced by another run of the same instance.
   */
  validateMember(memberId: string, groupInstanceId: string | null): number {
    if (groupInstanceId !== null) {
      const current = this.#instances.get(groupInstanceId);
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return this.#members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  /** A name counts once a member, however often it sends it. */
  #support(protocols: readonly Protocol[], by: number): void {
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      const count = (this.#supporters.get(name) ?? 0) + by;
      if (count === 0) this.#supporters.delete(name);
      else this.#supporters.set(name, count);
    }
  }
}
