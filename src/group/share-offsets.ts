import { ErrorCode } from '../model/errors.ts';
import { ZERO_UUID } from '../model/ids.ts';
import type {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../wire/apis/90-describe-share-group-offsets.ts';
import type {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../wire/apis/91-alter-share-group-offsets.ts';
import type {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../wire/apis/92-delete-share-group-offsets.ts';
import type { Asked, Context, Turn } from './context.ts';
import { noGroup } from './description.ts';
import type { StatePart, StateResult } from './share-asks.ts';
import type { ShareTurn } from './share-replay.ts';
import { noteDeleted, noteInitialized, statesOf } from './share-states.ts';
import { bumpEpoch } from './share-target.ts';

type DescribedGroup = DescribeShareGroupOffsetsResponse['groups'][number];
type DescribedTopic = DescribedGroup['topics'][number];

/**
 * Of which partitions a group has states; a null list of topics asks for all. What the states say, and how far the logs
 * are, is for the gateway to ask: here each offset is -1.
 */
export function decideDescribeShareGroupOffsets(
  context: Context,
  turn: Turn,
  { from, body }: Asked<DescribeShareGroupOffsetsRequest>,
): void {
  const groups = body.groups.map(({ groupId, topics }): DescribedGroup => {
    const share = context.groups.get(groupId)?.share;
    const none = { groupId, topics: [], errorCode: ErrorCode.NONE, errorMessage: null };
    if (share === undefined) return { ...none, ...noGroup(groupId, undefined, 'share') };
    const known = [...share.initialized].flatMap(([topicId, { topicName, partitions }]) =>
      context.cluster.topicById(topicId) === undefined ? [] : [{ topicId, topicName, partitions }],
    );
    if (topics === null)
      return { ...none, topics: known.map((topic) => described(topic, [...topic.partitions])) };
    const asked = topics.map(({ topicName, partitions }) => {
      const topicId = context.cluster.topic(topicName)?.id;
      return described({ topicName, topicId: topicId ?? ZERO_UUID }, partitions, topicId === undefined);
    });
    return { ...none, topics: asked };
  });
  turn.reply(from, { throttleTimeMs: 0, groups } satisfies DescribeShareGroupOffsetsResponse);
}

function described(
  { topicName, topicId }: { topicName: string; topicId: string },
  partitions: readonly number[],
  isUnknown = false,
): DescribedTopic {
  const errorCode = isUnknown ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE;
  return {
    topicName,
    topicId,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      startOffset: -1,
      leaderEpoch: 0,
      lag: -1,
      errorCode,
      errorMessage: null,
    })),
  };
}

/** The group, if it is one without members; else why nothing may be changed. */
function emptyGroup(
  context: Context,
  turn: Turn,
  groupId: string,
): ShareTurn | { errorCode: number; errorMessage: string } {
  const group = context.groups.get(groupId);
  const share = group?.share;
  if (group === undefined || share === undefined) return noGroup(groupId, group, 'share');
  if (share.members.size === 0) return { context, turn, group, share };
  return { errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: 'The group is not empty.' };
}

/** To who changes offsets: of the group as a whole nothing, unless said. */
function answer<R extends AlterShareGroupOffsetsResponse | DeleteShareGroupOffsetsResponse>(
  said: Partial<R>,
) {
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, responses: [], ...said };
}

/** Begins anew from other offsets, under a new epoch of the states: who still reads by the old ones is fenced. */
export function decideAlterShareGroupOffsets(
  context: Context,
  turn: Turn,
  { from, body }: Asked<AlterShareGroupOffsetsRequest>,
): void {
  const at = emptyGroup(context, turn, body.groupId);
  if ('errorCode' in at) return turn.reply(from, answer<AlterShareGroupOffsetsResponse>(at));
  bumpEpoch(at);
  const parts = body.topics.flatMap(({ topicName, partitions }): StatePart[] => {
    const topic = context.cluster.topic(topicName);
    return partitions.flatMap(({ partitionIndex: partition, startOffset }) =>
      topic === undefined || partition < 0 || partition >= topic.partitions.length
        ? []
        : [{ topicId: topic.id, partition, stateEpoch: at.share.epoch, startOffset }],
    );
  });
  const { groupId } = body;
  context.shareAsks.begin(turn, { groupId, kind: 'initialize', parts }, (later, results) => {
    const made = results.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
    if (made.length > 0 && at.group.share === at.share) noteInitialized({ ...at, turn: later }, made);
    const responses = altered(context, body, results);
    later.reply(from, answer<AlterShareGroupOffsetsResponse>({ responses }));
  });
}

function altered(
  { cluster }: Context,
  { topics }: AlterShareGroupOffsetsRequest,
  results: readonly StateResult[],
): AlterShareGroupOffsetsResponse['responses'] {
  return topics.map(({ topicName, partitions }) => {
    const topicId = cluster.topic(topicName)?.id ?? ZERO_UUID;
    return {
      topicName,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => {
        const result = results.find((each) => each.topicId === topicId && each.partition === partitionIndex);
        const { errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage = null } = result ?? {};
        return { partitionIndex, errorCode, errorMessage };
      }),
    };
  });
}

/** Forgets where the group is in some topics. */
export function decideDeleteShareGroupOffsets(
  context: Context,
  turn: Turn,
  { from, body }: Asked<DeleteShareGroupOffsetsRequest>,
): void {
  const at = emptyGroup(context, turn, body.groupId);
  if ('errorCode' in at) return turn.reply(from, answer<DeleteShareGroupOffsetsResponse>(at));
  const known = new Map([...at.share.initialized].map(([topicId, { topicName }]) => [topicName, topicId]));
  const topicIds = body.topics.flatMap(({ topicName }) => known.get(topicName) ?? []);
  const parts = statesOf(at, topicIds);
  context.shareAsks.begin(turn, { groupId: body.groupId, kind: 'delete', parts }, (later, results) => {
    const failed = new Map(
      results.filter(({ errorCode }) => errorCode !== ErrorCode.NONE).map((each) => [each.topicId, each]),
    );
    const gone = topicIds.filter((topicId) => !failed.has(topicId));
    if (gone.length > 0 && at.group.share === at.share) noteDeleted({ ...at, turn: later }, gone);
    const responses = body.topics.map(({ topicName }) => {
      const topicId = known.get(topicName);
      if (topicId === undefined) return nothingToDelete(topicName, context.cluster.topic(topicName)?.id);
      const { errorCode = ErrorCode.NONE, errorMessage = null } = failed.get(topicId) ?? {};
      return { topicName, topicId, errorCode, errorMessage };
    });
    later.reply(from, answer<DeleteShareGroupOffsetsResponse>({ responses }));
  });
}

function nothingToDelete(topicName: string, topicId = ZERO_UUID) {
  const errorMessage = 'There is no offset information to delete.';
  return { topicName, topicId, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage };
}
