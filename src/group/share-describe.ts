import { ErrorCode } from '../model/errors.ts';
import type {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../wire/apis/77-share-group-describe.ts';
import type { Asked, Context, Turn } from './context.ts';
import { named, noGroup, undescribed } from './description.ts';
import type { ShareMember } from './share-group.ts';

type DescribedGroup = ShareGroupDescribeResponse['groups'][number];
type DescribedMember = DescribedGroup['members'][number];

export function decideShareGroupDescribe(
  context: Context,
  turn: Turn,
  { from, body }: Asked<ShareGroupDescribeRequest>,
): void {
  const groups = body.groupIds.map((groupId) => describe(context, groupId));
  turn.reply(from, { throttleTimeMs: 0, groups } satisfies ShareGroupDescribeResponse);
}

function describe(context: Context, groupId: string): DescribedGroup {
  const group = context.groups.get(groupId);
  const share = group?.share;
  const none: DescribedGroup = undescribed(groupId);
  if (groupId === '') return { ...none, errorCode: ErrorCode.INVALID_GROUP_ID };
  if (share === undefined) return { ...none, ...noGroup(groupId, group, 'share') };
  return {
    ...none,
    groupState: share.state,
    groupEpoch: share.epoch,
    assignmentEpoch: share.assignmentEpoch,
    assignorName: 'simple',
    members: [...share.members.values()].map((member) => describeMember(context, member)),
  };
}

function describeMember(context: Context, member: ShareMember): DescribedMember {
  const { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames } = member;
  const assignment = named(context, member.assigned);
  return { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames, assignment };
}
