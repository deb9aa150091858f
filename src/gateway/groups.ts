import { CONSUMER_OFFSETS_TOPIC, coordinatorPartition } from '../model/ids.ts';
import { ErrorCode } from '../model/errors.ts';
import { type ShardId, type ShardReply, groupShard } from '../ports/shard-link.ts';
import type { Api, RequestOf, ResponseInitOf, ResponseOf } from '../wire/schema.ts';
import { AclResource } from '../security/acl.ts';
import { authorizedOperations } from './access/operations.ts';
import type { Call } from './call.ts';
import { withInternalTopic } from './controller.ts';
import { Gather } from './gather.ts';
import type { Beat } from './heartbeat-leases.ts';
import { type Handler, handler } from './handler.ts';

/** The shard that coordinates a group; undefined before `__consumer_offsets` exists: no group does then. */
export function coordinatorOf(call: Call, groupId: string): ShardId | undefined {
  const partitions = call.gateway.image.topic(CONSUMER_OFFSETS_TOPIC)?.partitions.length ?? 0;
  return partitions === 0 ? undefined : groupShard(coordinatorPartition(groupId, partitions));
}

/** What differs between the APIs of one group: everything else is the coordinator's. */
interface GroupApi<A extends Api> {
  api: A;
  min: number;
  max: number;
  mayWait?: boolean;
  /** Not served while the cluster has it at level 0. */
  feature?: string;
  /** What has to be there before its coordinator is asked. */
  topic?: string;
  groupId: (request: RequestOf<A>) => string;
  /** Of a heartbeat: where a coordinator should sleep, most are answered by the gateway, see `HeartbeatLeases`. */
  beat?: (request: RequestOf<A>) => Beat;
  /** The answer that only says an error: no coordinator, or its storage failed. */
  refuse: (errorCode: number, request: RequestOf<A>) => ResponseInitOf<A>;
  /** What is to be done here about what the coordinator says. */
  answered?: (call: Call, request: RequestOf<A>, response: ResponseOf<A>) => void;
}

/** An API that names one group goes whole to its coordinator. */
export function groupHandler<A extends Api>(api: GroupApi<A>): Handler {
  const { groupId, refuse, feature, topic, beat, answered, ...rest } = api;
  return handler<A>({
    ...rest,
    handle(call, request) {
      if (!hasFeature(call, feature)) return call.reply(refuse(ErrorCode.UNSUPPORTED_VERSION, request));
      const id = groupId(request);
      if (id === '') return call.reply(refuse(ErrorCode.INVALID_GROUP_ID, request));
      const shard = coordinatorOf(call, id);
      if (shard === undefined) return call.reply(refuse(ErrorCode.NOT_COORDINATOR, request));
      const told = (reply: ShardReply) => {
        if (reply.errorCode !== undefined)
          return call.reply(refuse(coordinatorError(reply.errorCode), request));
        answered?.(call, request, reply.body as ResponseOf<A>);
        call.reply(reply.body);
      };
      const { leases } = call.gateway;
      const ask = () => {
        if (beat === undefined || leases === undefined) call.ask(shard, request, told);
        else leases.beat(call, { shard, request, beat: beat(request), told });
      };
      if (topic === undefined) ask();
      else withInternalTopic(call, topic, ask);
    },
  });
}

/** Whether the cluster has a feature at a level above 0. */
export function hasFeature(call: Call, feature: string | undefined): boolean {
  return feature === undefined || (call.gateway.image.features.get(feature) ?? 0) > 0;
}

/** What differs between the APIs that describe groups. */
interface DescribeGroups<Group> {
  groupIds: readonly string[];
  includeAuthorizedOperations: boolean;
  /** The request to the coordinator of one. */
  part: (groupId: string) => unknown;
  refused: (groupId: string, errorCode: number) => Group;
}

/** Each group from its coordinator, with what the client may do with it. */
export function describeEach<Group extends { authorizedOperations: number }>(
  call: Call,
  { groupIds, includeAuthorizedOperations, part, refused }: DescribeGroups<Group>,
): void {
  const groups: Group[] = [];
  const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
  groupIds.forEach((groupId, at) => {
    groups.push(refused(groupId, ErrorCode.NOT_COORDINATOR));
    const shard = coordinatorOf(call, groupId);
    if (shard === undefined) return;
    gather.enter();
    call.ask(shard, part(groupId), ({ body, errorCode = ErrorCode.NOT_COORDINATOR }) => {
      const described = (body as { groups: Group[] } | undefined)?.groups[0];
      const resource = { type: AclResource.GROUP, name: groupId };
      groups[at] =
        described === undefined
          ? refused(groupId, coordinatorError(errorCode))
          : {
              ...described,
              authorizedOperations: authorizedOperations(call, includeAuthorizedOperations, resource),
            };
      gather.leave();
    });
  });
  gather.seal();
}

/** What a client of a group understands when the coordinator's shard cannot serve. */
export function coordinatorError(errorCode: number): number {
  return errorCode === ErrorCode.KAFKA_STORAGE_ERROR
    ? ErrorCode.COORDINATOR_NOT_AVAILABLE
    : ErrorCode.NOT_COORDINATOR;
}
