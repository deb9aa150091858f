import type { Millis } from '../model/ids.ts';
import type { Address, Ask, Decision, MachineRecord, MachineRequest, Reply } from '../model/machine.ts';
import type { GroupConfig } from './config.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { Group } from './group.ts';
import { Member } from './member.ts';
import type { MemberFacts } from './member.ts';
import { sizeOf } from '../wire/coordinator-record.ts';
import { type Leased, Leases } from './leases.ts';
import type { ShareAsks } from './share-asks.ts';
import type { ClusterView } from './topics.ts';
import { UnreadPositions } from './unread-positions.ts';
import { UnstableOffsets } from './unstable-offsets.ts';
import type { Verifications } from './verifications.ts';
import { WaitingList } from './waiting.ts';
import type { Waiting } from './waiting.ts';

/** What falls due. `pending` is an id that was handed out and not used in time. */
export type Due =
  | { type: 'session'; group: Group; member: Member }
  | { type: 'pending'; group: Group; memberId: string }
  | { type: 'join'; group: Group }
  | { type: 'sync'; group: Group }
  | { type: 'consumerSession'; group: Group; memberId: string }
  | { type: 'consumerRebalance'; group: Group; memberId: string }
  | { type: 'shareSession'; group: Group; memberId: string };

/** A request with its body of the API's schema. */
export interface Asked<Body> extends MachineRequest {
  body: Body;
}

/** All that the decisions of one machine share. */
export class Context {
  readonly #config: () => GroupConfig;
  /** The unique part of a member id. */
  readonly newId: () => string;
  readonly cluster: ClusterView;
  readonly groups = new Map<string, Group>();
  /** Records of this decision that were applied while it was made, and are not applied again. */
  readonly applied = new Set<MachineRecord>();
  readonly deadlines = new Deadlines<Due>();
  readonly waiting = new WaitingList();
  readonly leases = new Leases();
  /** Positions of open transactions, over all groups. */
  readonly unstable = new UnstableOffsets();
  readonly unread = new UnreadPositions();
  readonly verifications: Verifications;
  readonly shareAsks: ShareAsks;
  /** Ids handed out and not yet used, over all groups. */
  pendingCount = 0;
  /** When to look for positions and groups that have expired; Infinity while none will by itself. */
  expiryAtMs: Millis = Infinity;

  constructor(
    config: () => GroupConfig,
    parts: { newId: () => string; cluster: ClusterView; verifications: Verifications; shareAsks: ShareAsks },
  ) {
    this.#config = config;
    this.newId = parts.newId;
    this.cluster = parts.cluster;
    this.verifications = parts.verifications;
    this.shareAsks = parts.shareAsks;
  }

  get config(): GroupConfig {
    return this.#config();
  }

  getOrCreate(groupId: string, nowMs: Millis): Group {
    const existing = this.groups.get(groupId);
    if (existing) return existing;
    const { deadlines } = this;
    const group = new Group(
      groupId,
      (target) => ({
        join: deadlines.create({ type: 'join', group: target }),
        sync: deadlines.create({ type: 'sync', group: target }),
      }),
      nowMs,
    );
    this.groups.set(groupId, group);
    return group;
  }

  addPending(group: Group, memberId: string, expiresAtMs: Millis): void {
    const deadline = this.deadlines.create({ type: 'pending', group, memberId });
    this.deadlines.set(deadline, expiresAtMs);
    group.pending.set(memberId, deadline);
    this.pendingCount++;
  }

  /** False when there was none. */
  removePending(group: Group, memberId: string): boolean {
    const deadline = group.pending.get(memberId);
    if (deadline === undefined) return false;
    this.deadlines.clear(deadline);
    group.pending.delete(memberId);
    this.pendingCount--;
    return true;
  }

  dropIfBlank(group: Group): void {
    if (group.consumer?.isBlank === true) group.consumer = undefined;
    if (group.share?.isBlank === true) group.share = undefined;
    if (!group.isBlank) return;
    this.deadlines.clear(group.joinDeadline);
    this.deadlines.clear(group.syncDeadline);
    this.groups.delete(group.groupId);
    this.unread.forget(group);
  }

  /** Not yet of the group, and without a session until one is started. */
  createMember(group: Group, facts: MemberFacts): Member {
    return new Member(facts, (member) => this.deadlines.create({ type: 'session', group, member }));
  }

  /** Something changed that may expire at `atMs`. Not looked at more often than every check interval. */
  expireFrom(atMs: Millis, nowMs: Millis): void {
    const earliestMs = nowMs + this.config.offsetsRetentionCheckIntervalMs;
    this.expiryAtMs = Math.min(this.expiryAtMs, Math.max(atMs, earliestMs));
  }

  /** Answers a heartbeat; parked, where its gateway gets a lease. */
  replyOrLease(
    turn: Turn,
    asked: Asked<unknown>,
    { body, leased }: { body: unknown; leased: Leased | undefined },
  ): void {
    const lease = this.leases.grant(this, asked, leased, turn.nowMs);
    if (lease === undefined) turn.reply(asked.from, body);
    else turn.replies.push({ to: asked.from, body, parked: true, lease });
  }

  restartSession(member: Member, nowMs: Millis, timeoutMs: number = member.sessionTimeoutMs): void {
    this.startSession(member.session, nowMs, timeoutMs);
  }

  /** Of a member in any protocol. */
  startSession(session: Deadline<Due>, nowMs: Millis, timeoutMs: Millis): void {
    this.deadlines.set(session, this.leases.sessionFrom(session, nowMs) + timeoutMs);
  }
}

/** One `decide` or `tick`: when it is, and what it wants done so far. */
export class Turn implements Decision {
  readonly nowMs: Millis;
  readonly records: MachineRecord[] = [];
  readonly replies: Reply[] = [];
  readonly asks: Ask[] = [];
  #recordsBytes = 0;

  constructor(nowMs: Millis) {
    this.nowMs = nowMs;
  }

  get recordsBytes(): number {
    return this.#recordsBytes;
  }

  write(record: MachineRecord): void {
    this.records.push(record);
    this.#recordsBytes += sizeOf([record]);
  }

  reply(to: Address, body: unknown): void {
    this.replies.push({ to, body });
  }

  /** Answers a request that was parked, if its connection still lives. */
  answer(context: Context, waiting: Waiting, body: unknown): void {
    const to = context.waiting.take(waiting);
    if (to) this.reply(to, body);
  }
}
