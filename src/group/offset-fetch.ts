import { ErrorCode } from '../model/errors.ts';
import { ZERO_UUID } from '../model/ids.ts';
import type { Uuid } from '../model/ids.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../wire/apis/09-offset-fetch.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { epochError } from './offsets.ts';
import type { OffsetAndMetadata } from './records.ts';

type Fetch = Asked<OffsetFetchRequest>;
type FetchedGroup = OffsetFetchResponse['groups'][number];
type FetchedTopic = FetchedGroup['topics'][number];
type FetchedPartition = FetchedTopic['partitions'][number];

interface AskedTopic {
  name: string;
  topicId: Uuid;
  partitionIndexes: readonly number[];
}

/** From this version on a request asks for many groups. */
const MANY_GROUPS_VERSION = 8;
/** From this version on it asks for topics by id. */
const TOPIC_ID_VERSION = 10;

/**
 * Positions as last committed; a group, topic or partition nobody committed for is at -1, without an error.
 * From v10 topics come by id: whoever sends the request to us must have set `name` too; one without is
 * UNKNOWN_TOPIC_ID. All topics of a group come with the id they were committed with, zero when that is not
 * known.
 */
export function decideOffsetFetch(context: Context, turn: Turn, { from, apiVersion, body }: Fetch): void {
  const reply: OffsetFetchResponse = {
    throttleTimeMs: 0,
    topics: [],
    errorCode: ErrorCode.NONE,
    groups: [],
  };
  const { requireStable } = body;
  if (apiVersion >= MANY_GROUPS_VERSION) {
    reply.groups = body.groups.map((asked) => {
      const { groupId, topics } = asked;
      const group = context.groups.get(groupId);
      const errorCode = validate(group, asked);
      if (errorCode !== ErrorCode.NONE) return { groupId, topics: [], errorCode };
      return { groupId, topics: fetchTopics(group, topics, { apiVersion, requireStable }), errorCode };
    });
  } else {
    const asked = body.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
    reply.topics = fetchTopics(context.groups.get(body.groupId), asked, { apiVersion, requireStable });
  }
  turn.reply(from, reply);
}

/** Who says that it is a member of a group of KIP-848 has to be one, and to know how far the group is. */
function validate(
  group: Group | undefined,
  { memberId, memberEpoch }: OffsetFetchRequest['groups'][number],
): number {
  if (!group?.consumer || (memberId === null && memberEpoch < 0)) return ErrorCode.NONE;
  return epochError(group.consumer, memberId ?? '', memberEpoch);
}

function fetchTopics(
  group: Group | undefined,
  asked: readonly AskedTopic[] | null,
  { apiVersion, requireStable }: { apiVersion: number; requireStable: boolean },
): FetchedTopic[] {
  const isUnstable = (topic: string, partition: number) =>
    requireStable && (group?.isUnstable(topic, partition) ?? false);
  if (asked === null) return group ? allTopics(group, isUnstable) : [];
  return asked.map((topic) => {
    const isUnknown = apiVersion >= TOPIC_ID_VERSION && topic.name === '';
    const errorCode = isUnknown ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.NONE;
    const committed = group?.offsets.get(topic.name);
    return {
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitionIndexes.map((partitionIndex) =>
        isUnstable(topic.name, partitionIndex)
          ? unstable(partitionIndex)
          : fetched(partitionIndex, ofTopic(committed?.get(partitionIndex), topic.topicId), errorCode),
      ),
    };
  });
}

function allTopics(group: Group, isUnstable: (topic: string, partition: number) => boolean): FetchedTopic[] {
  return [...group.offsets].map(([name, partitions]) => {
    const [first] = partitions.values();
    return {
      name,
      topicId: first?.topicId ?? ZERO_UUID,
      partitions: [...partitions].map(([partitionIndex, value]) =>
        isUnstable(name, partitionIndex)
          ? unstable(partitionIndex)
          : fetched(partitionIndex, value, ErrorCode.NONE),
      ),
    };
  });
}

/** A position in a topic that was deleted is none in a new topic of the same name. */
function ofTopic(value: OffsetAndMetadata | undefined, topicId: Uuid): OffsetAndMetadata | undefined {
  if (value === undefined || topicId === ZERO_UUID || value.topicId === ZERO_UUID) return value;
  return value.topicId === topicId ? value : undefined;
}

/** An open transaction may yet change it: whoever wants what is settled comes again (KIP-447). */
function unstable(partitionIndex: number): FetchedPartition {
  return fetched(partitionIndex, undefined, ErrorCode.UNSTABLE_OFFSET_COMMIT);
}

function fetched(
  partitionIndex: number,
  value: OffsetAndMetadata | undefined,
  errorCode: number,
): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: value?.offset ?? -1,
    committedLeaderEpoch: value?.leaderEpoch ?? -1,
    metadata: value?.metadata ?? '',
    errorCode,
  };
}
