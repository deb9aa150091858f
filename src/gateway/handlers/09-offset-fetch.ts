import type { MetadataImage } from '../../metadata/image.ts';
import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import {
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  offsetFetchApi,
} from '../../wire/apis/09-offset-fetch.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';
import { resolveTopic } from '../topics.ts';

type Group = OffsetFetchRequest['groups'][number];
type GroupResponse = OffsetFetchResponse['groups'][number];

/** From this version on a request asks for many groups. */
export const MANY_GROUPS_VERSION = 8;

/**
 * A group's positions; from v8 of many groups, each from its coordinator. It is asked for topics by name and id
 * together, whatever the client knows: positions in a topic that was deleted are none in its successor.
 */
export const offsetFetch = handler({
  api: offsetFetchApi,
  min: 1,
  max: 10,
  handle(call, request) {
    if (call.version < MANY_GROUPS_VERSION) return oneGroup(call, request);
    const groups: GroupResponse[] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
    request.groups.forEach((group, at) => {
      gather.enter();
      askGroup(call, { ...request, groups: [group] }, group, (answered) => {
        groups[at] = answered;
        gather.leave();
      });
    });
    gather.seal();
  },
});

function oneGroup(call: Call, request: OffsetFetchRequest): void {
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  const group: Group = { groupId: request.groupId, memberId: null, memberEpoch: -1, topics };
  askGroup(call, request, group, ({ errorCode, topics: answered }) => {
    const found = errorCode === ErrorCode.NONE ? answered : topicErrors(call, request, errorCode);
    call.reply({ throttleTimeMs: 0, topics: found, errorCode });
  });
}

function askGroup(
  call: Call,
  request: OffsetFetchRequest,
  group: Group,
  onAnswer: (answer: GroupResponse) => void,
): void {
  const { groupId } = group;
  const shard = coordinatorOf(call, groupId);
  if (shard === undefined) return onAnswer(failed(groupId, ErrorCode.NOT_COORDINATOR));
  const { image } = call.gateway;
  const { known, absent } = named(image, group);
  const { key, versions } = offsetFetchApi;
  call.askAs(key, versions.max, shard, { ...request, groups: [known] }, (reply) => {
    const answered = (reply.body as OffsetFetchResponse | undefined)?.groups[0];
    if (answered === undefined) {
      return onAnswer(failed(groupId, coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR)));
    }
    const topics = group.topics === null ? present(image, answered.topics) : answered.topics;
    onAnswer({ ...answered, topics: [...topics, ...absent] });
  });
}

/** v1 has no error of the whole answer: each partition carries it. */
export function topicErrors(call: Call, { topics }: OffsetFetchRequest, errorCode: number) {
  if (call.version > 1) return [];
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => noPosition(partitionIndex, errorCode)),
  }));
}

export function noPosition(partitionIndex: number, errorCode: number) {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

export function failed(groupId: string, errorCode: number): GroupResponse {
  return { groupId, topics: [], errorCode };
}

/** The request with each topic's name and id; topics that are not there are answered here. */
function named(image: MetadataImage, group: Group): { known: Group; absent: GroupResponse['topics'] } {
  if (group.topics === null) return { known: group, absent: [] };
  const absent: GroupResponse['topics'] = [];
  const topics = group.topics.flatMap((topic) => {
    const found = resolveTopic(image, topic);
    if ('id' in found) return [{ ...topic, name: found.name, topicId: found.id }];
    // Of a name that is no topic nobody has committed anything, which is no error; an id must be one.
    const errorCode = topic.topicId === ZERO_UUID ? ErrorCode.NONE : found.errorCode;
    const partitions = topic.partitionIndexes.map((index) => noPosition(index, errorCode));
    absent.push({ name: topic.name, topicId: topic.topicId, partitions });
    return [];
  });
  return { known: { ...group, topics }, absent };
}

/** Without the topics that are gone; those that were committed before topics had ids have their name's. */
function present(image: MetadataImage, topics: GroupResponse['topics']): GroupResponse['topics'] {
  return topics.flatMap((topic) => {
    const found = resolveTopic(image, topic);
    return 'id' in found ? [{ ...topic, topicId: found.id }] : [];
  });
}
