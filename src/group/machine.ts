import { InvariantError } from '../model/assert.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type {
  Address,
  Answer,
  Ask,
  Decision,
  Machine,
  MachineRecord,
  MachineRequest,
  TransactionEnd,
} from '../model/machine.ts';
import { offsetCommitApi } from '../wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../wire/apis/09-offset-fetch.ts';
import { joinGroupApi } from '../wire/apis/11-join-group.ts';
import { heartbeatApi } from '../wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../wire/apis/16-list-groups.ts';
import { txnOffsetCommitApi } from '../wire/apis/28-txn-offset-commit.ts';
import { deleteGroupsApi } from '../wire/apis/42-delete-groups.ts';
import { offsetDeleteApi } from '../wire/apis/47-offset-delete.ts';
import { consumerGroupHeartbeatApi } from '../wire/apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../wire/apis/69-consumer-group-describe.ts';
import { shareGroupHeartbeatApi } from '../wire/apis/76-share-group-heartbeat.ts';
import { shareGroupDescribeApi } from '../wire/apis/77-share-group-describe.ts';
import { describeShareGroupOffsetsApi } from '../wire/apis/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsetsApi } from '../wire/apis/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsApi } from '../wire/apis/92-delete-share-group-offsets.ts';
import type { Api, RequestOf } from '../wire/schema.ts';
import { decideJoinGroup } from './classic-join.ts';
import { decideHeartbeat, decideLeaveGroup } from './classic-members.ts';
import { decideSyncGroup } from './classic-sync.ts';
import { groupConfig } from './config.ts';
import type { GroupConfig } from './config.ts';
import { Context, Turn } from './context.ts';
import type { Asked } from './context.ts';
import { decideDeleteGroups, decideDescribeGroups, decideListGroups } from './describe.ts';
import { expire } from './expire.ts';
import { expireOffsets } from './expiry.ts';
import type { GroupState } from './group.ts';
import { decideOffsetDelete } from './offset-delete.ts';
import type { ConsumerGroupState } from './consumer-group.ts';
import { decideConsumerGroupDescribe } from './consumer-describe.ts';
import { decideConsumerGroupHeartbeat } from './consumer-heartbeat.ts';
import { decideOffsetFetch } from './offset-fetch.ts';
import { decideOffsetCommit } from './offsets.ts';
import { applyEnd, applyRecord, snapshotOf } from './replay.ts';
import { ShareAsks } from './share-asks.ts';
import { decideShareGroupDescribe } from './share-describe.ts';
import type { ShareGroupState } from './share-group.ts';
import { decideShareGroupHeartbeat } from './share-heartbeat.ts';
import {
  decideAlterShareGroupOffsets,
  decideDeleteShareGroupOffsets,
  decideDescribeShareGroupOffsets,
} from './share-offsets.ts';
import { type ClusterView, NO_CLUSTER } from './topics.ts';
import { decideTxnOffsetCommit, verified } from './txn-offsets.ts';
import { type VerificationsOptions, Verifications } from './verifications.ts';

export interface GroupMachineOptions extends VerificationsOptions {
  /** Makes the unique part of a member id: a UUID from the host's `Random`. */
  id: () => string;
  /** As a function it is asked at every use: some settings change while a broker runs. */
  config?: Partial<GroupConfig> | (() => Partial<GroupConfig>);
  /** Committed metadata; left out, there is no topic. */
  cluster?: ClusterView;
  /** The shard that keeps the state of a share partition; undefined while there is none. */
  shareCoordinator?: ShareCoordinatorOf;
}

type ShareCoordinatorOf = ConstructorParameters<typeof ShareAsks>[0];

/** A group as it is now. */
export interface GroupView {
  readonly groupId: string;
  readonly state: GroupState | ConsumerGroupState | ShareGroupState;
  readonly members: ReadonlyMap<string, unknown>;
  /** topic -> partition -> position. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, { readonly offset: Offset }>>;
}

type Decide<Body> = (context: Context, turn: Turn, request: Asked<Body>) => void;
type DecideAny = (context: Context, turn: Turn, request: MachineRequest) => void;

/** The gateway decoded the body by the same schema; a type cannot follow it through the link between them. */
function on<A extends Api>(api: A, decide: Decide<RequestOf<A>>): [number, DecideAny] {
  return [
    api.key,
    (context, turn, request) => decide(context, turn, { ...request, body: request.body as RequestOf<A> }),
  ];
}

const DECISIONS: ReadonlyMap<number, DecideAny> = new Map([
  on(offsetCommitApi, decideOffsetCommit),
  on(offsetFetchApi, decideOffsetFetch),
  on(joinGroupApi, decideJoinGroup),
  on(heartbeatApi, decideHeartbeat),
  on(leaveGroupApi, decideLeaveGroup),
  on(syncGroupApi, decideSyncGroup),
  on(describeGroupsApi, decideDescribeGroups),
  on(listGroupsApi, decideListGroups),
  on(txnOffsetCommitApi, decideTxnOffsetCommit),
  on(deleteGroupsApi, decideDeleteGroups),
  on(offsetDeleteApi, decideOffsetDelete),
  on(consumerGroupHeartbeatApi, decideConsumerGroupHeartbeat),
  on(consumerGroupDescribeApi, decideConsumerGroupDescribe),
  on(shareGroupHeartbeatApi, decideShareGroupHeartbeat),
  on(shareGroupDescribeApi, decideShareGroupDescribe),
  on(describeShareGroupOffsetsApi, decideDescribeShareGroupOffsets),
  on(alterShareGroupOffsetsApi, decideAlterShareGroupOffsets),
  on(deleteShareGroupOffsetsApi, decideDeleteShareGroupOffsets),
]);

/** The APIs a machine decides, by key; the gateway sends it no other. */
export const GROUP_APIS: readonly number[] = [...DECISIONS.keys()];

/**
 * The coordinator of all groups of one partition of `__consumer_offsets`. Positions, and what a group's last
 * finished rebalance settled, are in the log; who joins, waits and lives is not, and starts anew when the log
 * is read again. Records of a decision must be applied before the next one.
 */
export class GroupMachine implements Machine {
  readonly #context: Context;

  constructor(options: GroupMachineOptions) {
    this.#context = new Context(groupConfig(options.config ?? {}), {
      newId: options.id,
      cluster: options.cluster ?? NO_CLUSTER,
      verifications: new Verifications(options),
      shareAsks: new ShareAsks(options.shareCoordinator ?? (() => undefined)),
    });
  }

  decide(request: MachineRequest, nowMs: Millis): Decision {
    const decide = DECISIONS.get(request.apiKey);
    if (!decide) throw new InvariantError(`API ${request.apiKey} is no group coordinator's`);
    const turn = new Turn(nowMs);
    decide(this.#context, turn, request);
    this.#settle(turn);
    return turn;
  }

  apply(record: MachineRecord, nowMs: Millis): void {
    if (this.#context.applied.delete(record)) return;
    applyRecord(this.#context, record, nowMs);
  }

  endTransaction(end: TransactionEnd, nowMs: Millis): void {
    applyEnd(this.#context, end, nowMs);
  }

  /** Taken as it is: who wanted to know is told, and comes again where that helps. */
  answered(ask: Ask, answer: Answer, nowMs: Millis): Decision | 'again' {
    const turn = new Turn(nowMs);
    const { shareAsks } = this.#context;
    if (!shareAsks.isAsk(ask)) verified(this.#context, turn, ask, answer);
    else if (!shareAsks.answered(turn, ask, answer)) return 'again';
    this.#settle(turn);
    return turn;
  }

  /** What does not fit one batch of records is left, and due at once. */
  tick(nowMs: Millis): Decision {
    const context = this.#context;
    const turn = new Turn(nowMs);
    if (context.expiryAtMs <= nowMs) expireOffsets(context, turn);
    while (turn.recordsBytes <= context.config.recordsMaxBytes) {
      const due = context.deadlines.due(nowMs);
      if (due === undefined) break;
      expire(context, turn, due);
    }
    this.#settle(turn);
    return turn;
  }

  #settle(turn: Turn): void {
    this.#context.leases.settle(turn);
  }

  cancel(from: Address, nowMs: Millis): boolean {
    return this.#context.leases.end(this.#context, from, nowMs);
  }

  get wakeAtMs(): Millis {
    return Math.min(this.#context.deadlines.nextMs, this.#context.expiryAtMs);
  }

  /** For who watches: not to be changed. */
  *groups(): Iterable<GroupView> {
    for (const group of this.#context.groups.values()) {
      const { groupId, offsets } = group;
      const { state, members } = group.consumer ?? group.share ?? group;
      yield { groupId, state, members, offsets };
    }
  }

  forget(link: number): void {
    this.#context.waiting.forget(link);
  }

  snapshot(): Iterable<MachineRecord> {
    return snapshotOf(this.#context);
  }
}
