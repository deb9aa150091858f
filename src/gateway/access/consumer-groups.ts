import { undescribed } from '../../group/description.ts';
import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import {
  type ConsumerGroupHeartbeatResponse,
  consumerGroupHeartbeatApi,
} from '../../wire/apis/68-consumer-group-heartbeat.ts';
import {
  type ConsumerGroupDescribeResponse,
  consumerGroupDescribeApi,
} from '../../wire/apis/69-consumer-group-describe.ts';
import { emptyAnswer } from '../reply-errors.ts';
import type { Access } from './access.ts';
import { type Guard, guard, parted } from './guard.ts';

/**
 * Topics that are named must all be its to describe; of a pattern it is told only those that are, whatever the others
 * of its group see.
 */
const heartbeat = guard(consumerGroupHeartbeatApi, ({ call, request, access }) => {
  const names = request.subscribedTopicNames ?? [];
  const isMember = access.group(Op.READ, request.groupId);
  if (!isMember || !names.every((name) => access.topic(Op.DESCRIBE, name))) {
    const { GROUP_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED } = ErrorCode;
    const code = isMember ? TOPIC_AUTHORIZATION_FAILED : GROUP_AUTHORIZATION_FAILED;
    call.reply(emptyAnswer(consumerGroupHeartbeatApi, code));
    return undefined;
  }
  call.amend(({ assignment, ...answer }: ConsumerGroupHeartbeatResponse) => ({
    ...answer,
    assignment: assignment && {
      topicPartitions: assignment.topicPartitions.filter((topic) => access.namedTopic(Op.DESCRIBE, topic)),
    },
  }));
  return request;
});

const describe = guard(consumerGroupDescribeApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.groupIds, (groupId) => access.group(Op.DESCRIBE, groupId));
  const refusals = refused.map((groupId) => undescribed(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED));
  call.amend((body: ConsumerGroupDescribeResponse) => ({
    ...body,
    groups: [...body.groups.map((group) => describable(access, group)), ...refusals],
  }));
  return { ...request, groupIds: allowed };
});

type Group = ConsumerGroupDescribeResponse['groups'][number];

/** A group with topics that its reader may not know of is told without its members. */
function describable(access: Access, group: Group): Group {
  const mayKnow = ({ subscribedTopicNames, assignment, targetAssignment }: Group['members'][number]) =>
    subscribedTopicNames.every((name) => access.topic(Op.DESCRIBE, name)) &&
    [...assignment.topicPartitions, ...targetAssignment.topicPartitions].every(({ topicName }) =>
      access.topic(Op.DESCRIBE, topicName),
    );
  if (group.members.every(mayKnow)) return group;
  const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
  return { ...group, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage, members: [] };
}

export const CONSUMER_GROUP_GUARDS: readonly Guard[] = [heartbeat, describe];
