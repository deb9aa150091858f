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

/** A group's positions; from v8 of many groups, each from its coordinator. Topic ids (v10) become names and back. */
export const offsetFetch = handler({
  api: offsetFetchApi,
  min: 1,
  max: 10,
  handle(call, request) {
    if (call.version < 8) return oneGroup(call, request);
    const groups: GroupResponse[] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
    request.groups.forEach((group, at) => {
      groups.push(failed(group.groupId, ErrorCode.NOT_COORDINATOR));
      const shard = coordinatorOf(call, group.groupId);
      if (shard === undefined) return;
      gather.enter();
      const { known, unknown } = byName(call.gateway.image, group);
      call.ask(shard, { ...request, groups: [known] }, (reply) => {
        const answered = (reply.body as OffsetFetchResponse | undefined)?.groups[0];
        groups[at] =
          answered === undefined
            ? failed(group.groupId, coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR))
            : { ...answered, topics: [...withIds(call.gateway.image, answered.topics), ...unknown] };
        gather.leave();
      });
    });
    gather.seal();
  },
});

function oneGroup(call: Call, request: OffsetFetchRequest): void {
  const refuse = (errorCode: number) =>
    call.reply({ throttleTimeMs: 0, topics: topicErrors(call, request, errorCode), errorCode });
  const shard = coordinatorOf(call, request.groupId);
  if (shard === undefined) return refuse(ErrorCode.NOT_COORDINATOR);
  call.ask(shard, request, (reply) => {
    if (reply.errorCode === undefined) call.reply(reply.body);
    else refuse(coordinatorError(reply.errorCode));
  });
}

/** v1 has no error of the whole answer: each partition carries it. */
function topicErrors(call: Call, { topics }: OffsetFetchRequest, errorCode: number) {
  if (call.version > 1) return [];
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => noPosition(partitionIndex, errorCode)),
  }));
}

function noPosition(partitionIndex: number, errorCode: number) {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

function failed(groupId: string, errorCode: number): GroupResponse {
  return { groupId, topics: [], errorCode };
}

/** The request as the coordinator knows topics; those with an id that nobody has are answered here. */
function byName(image: MetadataImage, group: Group): { known: Group; unknown: GroupResponse['topics'] } {
  if (group.topics === null) return { known: group, unknown: [] };
  const unknown: GroupResponse['topics'] = [];
  const topics = group.topics.flatMap((topic) => {
    if (topic.topicId === ZERO_UUID) return [topic];
    const found = resolveTopic(image, topic);
    if ('id' in found) return [{ ...topic, name: found.name }];
    const partitions = topic.partitionIndexes.map((index) => noPosition(index, found.errorCode));
    unknown.push({ name: topic.name, topicId: topic.topicId, partitions });
    return [];
  });
  return { known: { ...group, topics }, unknown };
}

function withIds(image: MetadataImage, topics: GroupResponse['topics']): GroupResponse['topics'] {
  return topics.map((topic) => ({ ...topic, topicId: image.topic(topic.name)?.id ?? ZERO_UUID }));
}
