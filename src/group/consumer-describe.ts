import { ErrorCode } from '../model/errors.ts';
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../wire/apis/69-consumer-group-describe.ts';
import { type Consumer, isClassic } from './consumer-member.ts';
import { assignorName } from './consumer-target.ts';
import type { Asked, Context, Turn } from './context.ts';
import { named, noGroup, undescribed } from './description.ts';
import type { Partitions } from './partitions.ts';

type DescribedGroup = ConsumerGroupDescribeResponse['groups'][number];
type DescribedMember = DescribedGroup['members'][number];

const CLASSIC_MEMBER = 0;
const CONSUMER_MEMBER = 1;

export function decideConsumerGroupDescribe(
  context: Context,
  turn: Turn,
  { from, body }: Asked<ConsumerGroupDescribeRequest>,
): void {
  const groups = body.groupIds.map((groupId) => describe(context, groupId));
  turn.reply(from, { throttleTimeMs: 0, groups } satisfies ConsumerGroupDescribeResponse);
}

function describe(context: Context, groupId: string): DescribedGroup {
  const group = context.groups.get(groupId);
  const consumer = group?.consumer;
  const none: DescribedGroup = undescribed(groupId);
  if (groupId === '') return { ...none, errorCode: ErrorCode.INVALID_GROUP_ID };
  if (consumer === undefined) return { ...none, ...noGroup(groupId, group, 'consumer') };
  return {
    ...none,
    groupState: consumer.state,
    groupEpoch: consumer.epoch,
    assignmentEpoch: consumer.assignmentEpoch,
    assignorName: assignorName({ context, consumer }),
    members: [...consumer.members.values()].map((member) =>
      describeMember(context, member, consumer.target(member.memberId)),
    ),
  };
}

function describeMember(context: Context, member: Consumer, target: Partitions): DescribedMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member;
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: named(context, member.assigned),
    targetAssignment: named(context, target),
    memberType: isClassic(member) ? CLASSIC_MEMBER : CONSUMER_MEMBER,
  };
}
