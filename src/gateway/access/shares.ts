import { undescribed } from '../../group/description.ts';
import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { shareGroupHeartbeatApi } from '../../wire/apis/76-share-group-heartbeat.ts';
import {
  type ShareGroupDescribeResponse,
  shareGroupDescribeApi,
} from '../../wire/apis/77-share-group-describe.ts';
import { shareFetchApi } from '../../wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../../wire/apis/79-share-acknowledge.ts';
import { initializeShareGroupStateApi } from '../../wire/apis/83-initialize-share-group-state.ts';
import { readShareGroupStateApi } from '../../wire/apis/84-read-share-group-state.ts';
import { writeShareGroupStateApi } from '../../wire/apis/85-write-share-group-state.ts';
import { deleteShareGroupStateApi } from '../../wire/apis/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryApi } from '../../wire/apis/87-read-share-group-state-summary.ts';
import {
  type DescribeShareGroupOffsetsResponse,
  describeShareGroupOffsetsApi,
} from '../../wire/apis/90-describe-share-group-offsets.ts';
import {
  type AlterShareGroupOffsetsResponse,
  alterShareGroupOffsetsApi,
} from '../../wire/apis/91-alter-share-group-offsets.ts';
import {
  type DeleteShareGroupOffsetsResponse,
  deleteShareGroupOffsetsApi,
} from '../../wire/apis/92-delete-share-group-offsets.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import type { Api } from '../../wire/schema.ts';
import { refused as refusedOffsets } from '../handlers/90-describe-share-group-offsets.ts';
import { emptyAnswer } from '../reply-errors.ts';
import type { Access } from './access.ts';
import { type Guard, guard, parted } from './guard.ts';

const { GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED } = ErrorCode;

/** Topics that are named must all be its to describe. */
const heartbeat = guard(shareGroupHeartbeatApi, ({ call, request, access }) => {
  const names = request.subscribedTopicNames ?? [];
  const isMember = access.group(Op.READ, request.groupId);
  if (isMember && names.every((name) => access.topic(Op.DESCRIBE, name))) return request;
  const code = isMember ? TOPIC_AUTHORIZATION_FAILED : GROUP_AUTHORIZATION_FAILED;
  call.reply(emptyAnswer(shareGroupHeartbeatApi, code));
  return undefined;
});

const describe = guard(shareGroupDescribeApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.groupIds, (groupId) => access.group(Op.DESCRIBE, groupId));
  const refusals = refused.map((groupId) => undescribed(groupId, GROUP_AUTHORIZATION_FAILED));
  call.amend((body: ShareGroupDescribeResponse) => ({
    ...body,
    groups: [...body.groups.map((group) => describable(access, group)), ...refusals],
  }));
  return { ...request, groupIds: allowed };
});

type Group = ShareGroupDescribeResponse['groups'][number];

/** A group with topics that its reader may not know of is told without its members. */
function describable(access: Access, group: Group): Group {
  const mayKnow = ({ subscribedTopicNames, assignment }: Group['members'][number]) =>
    subscribedTopicNames.every((name) => access.topic(Op.DESCRIBE, name)) &&
    assignment.topicPartitions.every(({ topicName }) => access.topic(Op.DESCRIBE, topicName));
  if (group.members.every(mayKnow)) return group;
  const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
  return { ...group, errorCode: TOPIC_AUTHORIZATION_FAILED, errorMessage, members: [] };
}

/** Of members of a group; which topics they may read is looked at partition by partition, since a session goes on. */
function ofMembers<A extends Api>(api: A): Guard {
  return guard(api, ({ call, request, access }) => {
    const { groupId } = request as { groupId: string | null };
    if (access.group(Op.READ, groupId ?? '')) return request;
    call.reply(emptyAnswer(api, GROUP_AUTHORIZATION_FAILED));
    return undefined;
  });
}

interface StateTopics {
  topics: readonly { topicId: string; partitions: readonly { partition: number }[] }[];
}

/** What brokers ask of each other. */
function ofBrokers<A extends Api>(api: A): Guard {
  return guard(api, ({ call, request, access }) => {
    if (access.cluster(Op.CLUSTER_ACTION)) return request;
    const { topics } = request as StateTopics;
    const results = topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partition }) => ({
        ...STATE_UNKNOWN,
        partition,
        errorCode: CLUSTER_AUTHORIZATION_FAILED,
      })),
    }));
    call.reply({ results });
    return undefined;
  });
}

/** Fields of an answer that says an error alone; an API takes those it has. */
const STATE_UNKNOWN = {
  errorMessage: null,
  stateEpoch: 0,
  leaderEpoch: 0,
  startOffset: -1,
  deliveryCompleteCount: -1,
  stateBatches: [],
};

const describeOffsets = guard(describeShareGroupOffsetsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.groups, ({ groupId }) => access.group(Op.DESCRIBE, groupId));
  const refusals = refused.map(({ groupId }) => refusedOffsets(groupId, GROUP_AUTHORIZATION_FAILED));
  const unknown = new Map<string, DescribeShareGroupOffsetsResponse['groups'][number]['topics']>();
  const groups = allowed.map((group) => {
    const topics = parted(group.topics ?? [], ({ topicName }) => access.topic(Op.DESCRIBE, topicName));
    unknown.set(group.groupId, topics.refused.map(refusedTopic));
    return { ...group, topics: group.topics && topics.allowed };
  });
  call.amend((body: DescribeShareGroupOffsetsResponse) => ({
    ...body,
    groups: [
      ...body.groups.map((group) => ({
        ...group,
        topics: [
          ...group.topics.filter(({ topicName }) => access.topic(Op.DESCRIBE, topicName)),
          ...(unknown.get(group.groupId) ?? []),
        ],
      })),
      ...refusals,
    ],
  }));
  return { ...request, groups };
});

function refusedTopic({ topicName, partitions }: { topicName: string; partitions: readonly number[] }) {
  const refusal = { startOffset: -1, leaderEpoch: 0, lag: -1, errorMessage: null };
  return {
    topicName,
    topicId: ZERO_UUID,
    partitions: partitions.map((partitionIndex) => ({
      ...refusal,
      partitionIndex,
      errorCode: TOPIC_AUTHORIZATION_FAILED,
    })),
  };
}

const alterOffsets = guard(alterShareGroupOffsetsApi, ({ call, request, access }) => {
  if (!access.group(Op.READ, request.groupId)) {
    call.reply(emptyAnswer(alterShareGroupOffsetsApi, GROUP_AUTHORIZATION_FAILED));
    return undefined;
  }
  const { allowed, refused } = parted(request.topics, ({ topicName }) => access.topic(Op.READ, topicName));
  const refusals = refused.map(({ topicName, partitions }) => ({
    topicName,
    topicId: ZERO_UUID,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: TOPIC_AUTHORIZATION_FAILED,
      errorMessage: null,
    })),
  }));
  call.amend((body: AlterShareGroupOffsetsResponse) => ({
    ...body,
    responses: [...body.responses, ...refusals],
  }));
  return { ...request, topics: allowed };
});

const deleteOffsets = guard(deleteShareGroupOffsetsApi, ({ call, request, access }) => {
  if (!access.group(Op.DELETE, request.groupId)) {
    call.reply(emptyAnswer(deleteShareGroupOffsetsApi, GROUP_AUTHORIZATION_FAILED));
    return undefined;
  }
  const { allowed, refused } = parted(request.topics, ({ topicName }) => access.topic(Op.READ, topicName));
  const refusals = refused.map(({ topicName }) => ({
    topicName,
    topicId: ZERO_UUID,
    errorCode: TOPIC_AUTHORIZATION_FAILED,
    errorMessage: null,
  }));
  call.amend((body: DeleteShareGroupOffsetsResponse) => ({
    ...body,
    responses: [...body.responses, ...refusals],
  }));
  return { ...request, topics: allowed };
});

export const SHARE_GUARDS: readonly Guard[] = [
  heartbeat,
  describe,
  ofMembers(shareFetchApi),
  ofMembers(shareAcknowledgeApi),
  ofBrokers(initializeShareGroupStateApi),
  ofBrokers(readShareGroupStateApi),
  ofBrokers(writeShareGroupStateApi),
  ofBrokers(deleteShareGroupStateApi),
  ofBrokers(readShareGroupStateSummaryApi),
  describeOffsets,
  alterOffsets,
  deleteOffsets,
];
