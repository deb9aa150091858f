import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { type OffsetCommitResponse, offsetCommitApi } from '../../wire/apis/08-offset-commit.ts';
import {
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  offsetFetchApi,
} from '../../wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi, type FindCoordinatorResponse } from '../../wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../wire/apis/14-sync-group.ts';
import { type DescribeGroupsResponse, describeGroupsApi } from '../../wire/apis/15-describe-groups.ts';
import { type ListGroupsResponse, listGroupsApi } from '../../wire/apis/16-list-groups.ts';
import { type DeleteGroupsResponse, deleteGroupsApi } from '../../wire/apis/42-delete-groups.ts';
import { type OffsetDeleteResponse, offsetDeleteApi } from '../../wire/apis/47-offset-delete.ts';
import type { Api } from '../../wire/schema.ts';
import { refused as refusedCommit } from '../handlers/08-offset-commit.ts';
import { failed, MANY_GROUPS_VERSION, noPosition, topicErrors } from '../handlers/09-offset-fetch.ts';
import { answer as answerCoordinator, KEY_TYPE } from '../handlers/10-find-coordinator.ts';
import { refused as refusedDescription } from '../handlers/15-describe-groups.ts';
import { emptyAnswer } from '../reply-errors.ts';
import type { Access } from './access.ts';
import { type Guard, guard, parted, wholly } from './guard.ts';

const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED;
const TOPIC_REFUSED = ErrorCode.TOPIC_AUTHORIZATION_FAILED;

/** An API of members of one group. */
function ofMembers<A extends Api>(api: A, groupIdIn: (request: never) => string): Guard {
  return wholly(
    api,
    ({ request, access }) => (access.group(Op.READ, groupIdIn(request as never)) ? undefined : errorCode),
    (code) => emptyAnswer(api, code) as never,
  );
}

const byGroupId = ({ groupId }: { groupId: string }) => groupId;

const offsetCommit = guard(offsetCommitApi, ({ call, request, access }) => {
  if (!access.group(Op.READ, request.groupId)) {
    const topics = request.topics.map((topic) => refusedCommit(topic, () => errorCode));
    call.reply({ throttleTimeMs: 0, topics });
    return undefined;
  }
  const { allowed, refused } = parted(request.topics, (topic) => access.namedTopic(Op.READ, topic));
  if (refused.length === 0) return request;
  const refusals = refused.map((topic) => refusedCommit(topic, () => TOPIC_REFUSED));
  call.amend((body: OffsetCommitResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

type FetchedTopics = OffsetFetchResponse['groups'][number]['topics'];

const offsetFetch = guard(offsetFetchApi, (asked) =>
  asked.call.version < MANY_GROUPS_VERSION ? offsetsOfOne(asked) : offsetsOfMany(asked),
);

type OffsetsAsked = Parameters<Guard<typeof offsetFetchApi>['check']>[0];

function offsetsOfOne({ call, request, access }: OffsetsAsked): OffsetFetchRequest | undefined {
  if (!access.group(Op.DESCRIBE, request.groupId)) {
    call.reply({ throttleTimeMs: 0, topics: topicErrors(call, request, errorCode), errorCode });
    return undefined;
  }
  const { allowed, refused } = parted(request.topics ?? [], ({ name }) => access.topic(Op.DESCRIBE, name));
  const refusals = refused.map((topic) => ({
    ...topic,
    partitions: topic.partitionIndexes.map((index) => noPosition(index, TOPIC_REFUSED)),
  }));
  call.amend((body: OffsetFetchResponse) => ({
    ...body,
    topics: [...body.topics.filter(({ name }) => access.topic(Op.DESCRIBE, name)), ...refusals],
  }));
  return { ...request, topics: request.topics && allowed };
}

function offsetsOfMany({ call, request, access }: OffsetsAsked): OffsetFetchRequest {
  const { allowed, refused } = parted(request.groups, ({ groupId }) => access.group(Op.DESCRIBE, groupId));
  const refusedTopics = new Map<string, FetchedTopics>();
  const groups = allowed.map((group) => {
    const topics = parted(group.topics ?? [], (topic) => access.namedTopic(Op.DESCRIBE, topic));
    const refusals = topics.refused.map(({ name, topicId, partitionIndexes }) => ({
      name,
      topicId,
      partitions: partitionIndexes.map((index) => noPosition(index, TOPIC_REFUSED)),
    }));
    refusedTopics.set(group.groupId, refusals);
    return { ...group, topics: group.topics && topics.allowed };
  });
  call.amend((body: OffsetFetchResponse) => ({
    ...body,
    groups: [
      ...body.groups.map((group) => ({
        ...group,
        topics: [...describable(access, group.topics), ...(refusedTopics.get(group.groupId) ?? [])],
      })),
      ...refused.map(({ groupId }) => failed(groupId, errorCode)),
    ],
  }));
  return { ...request, groups };
}

function describable(access: Access, topics: FetchedTopics): FetchedTopics {
  return topics.filter((topic) => access.namedTopic(Op.DESCRIBE, topic));
}

const findCoordinator = guard(findCoordinatorApi, ({ call, request, access }) => {
  const many = call.version >= 4;
  const keys = many ? request.coordinatorKeys : [request.key];
  const code = REFUSAL_BY_KEY_TYPE[request.keyType] ?? ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  const { allowed, refused } = parted(keys, (key) => mayFind(access, request.keyType, key));
  if (refused.length === 0) return request;
  const refusal = { errorCode: code, errorMessage: null };
  if (allowed.length === 0) {
    answerCoordinator(call, refused, refusal);
    return undefined;
  }
  const refusals = refused.map((key) => ({ key, nodeId: -1, host: '', port: -1, ...refusal }));
  call.amend((body: FindCoordinatorResponse) => ({
    ...body,
    coordinators: [...body.coordinators, ...refusals],
  }));
  return { ...request, coordinatorKeys: allowed };
});

const REFUSAL_BY_KEY_TYPE: Readonly<Record<number, number>> = {
  [KEY_TYPE.GROUP]: errorCode,
  [KEY_TYPE.TRANSACTION]: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
};

function mayFind(access: Access, keyType: number, key: string): boolean {
  if (keyType === KEY_TYPE.GROUP) return access.group(Op.DESCRIBE, key);
  if (keyType === KEY_TYPE.TRANSACTION) return access.transactionalId(Op.DESCRIBE, key);
  return access.cluster(Op.CLUSTER_ACTION);
}

const describeGroups = guard(describeGroupsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.groups, (groupId) => access.group(Op.DESCRIBE, groupId));
  if (refused.length === 0) return request;
  const refusals = refused.map((groupId) => refusedDescription(groupId, errorCode));
  call.amend((body: DescribeGroupsResponse) => ({ ...body, groups: [...body.groups, ...refusals] }));
  return { ...request, groups: allowed };
});

const listGroups = guard(listGroupsApi, ({ call, request, access }) => {
  if (access.cluster(Op.DESCRIBE)) return request;
  call.amend((body: ListGroupsResponse) => ({
    ...body,
    groups: body.groups.filter(({ groupId }) => access.group(Op.DESCRIBE, groupId)),
  }));
  return request;
});

const deleteGroups = guard(deleteGroupsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.groupsNames, (groupId) => access.group(Op.DELETE, groupId));
  if (refused.length === 0) return request;
  const refusals = refused.map((groupId) => ({ groupId, errorCode }));
  call.amend((body: DeleteGroupsResponse) => ({ ...body, results: [...body.results, ...refusals] }));
  return { ...request, groupsNames: allowed };
});

const offsetDelete = guard(offsetDeleteApi, ({ call, request, access }) => {
  if (!access.group(Op.DELETE, request.groupId)) {
    call.reply({ errorCode, throttleTimeMs: 0, topics: [] });
    return undefined;
  }
  const { allowed, refused } = parted(request.topics, ({ name }) => access.topic(Op.READ, name));
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: TOPIC_REFUSED })),
  }));
  call.amend((body: OffsetDeleteResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

export const GROUP_GUARDS: readonly Guard[] = [
  offsetCommit,
  offsetFetch,
  findCoordinator,
  ofMembers(joinGroupApi, byGroupId),
  ofMembers(heartbeatApi, byGroupId),
  ofMembers(leaveGroupApi, byGroupId),
  ofMembers(syncGroupApi, byGroupId),
  describeGroups,
  listGroups,
  deleteGroups,
  offsetDelete,
];
