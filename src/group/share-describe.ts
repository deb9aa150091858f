import { ErrorCode } from '../model/errors.ts';
import type {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../wire/apis/77-share-group-describe.ts';
import type { Asked, Context, Turn } from './context.ts';
import { AUTHORIZED_OPERATIONS_NOT_ASKED } from './describe.ts';
import { listed, type Partitions } from './partitions.ts';
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
  const none: DescribedGroup = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: AUTHORIZED_OPERATIONS_NOT_ASKED,
  };
  if (groupId === '') return { ...none, errorCode: ErrorCode.INVALID_GROUP_ID };
  if (share === undefined) {
    const why = group === undefined ? 'not found' : 'is not a share group';
    const errorMessage = `Group ${groupId} ${why}.`;
    return { ...none, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
  }
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
  const assignment = { topicPartitions: named(context, member.assigned) };
  return { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames, assignment };
}

/** Topics that are gone have no name, and are left out. */
function named({ cluster }: Context, assigned: Partitions): DescribedMember['assignment']['topicPartitions'] {
  return listed(assigned).flatMap(({ topicId, partitions }) => {
    const topicName = cluster.topicById(topicId)?.name;
    return topicName === undefined ? [] : [{ topicId, topicName, partitions }];
  });
}
