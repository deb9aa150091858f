import { ErrorCode } from '../../model/errors.ts';
import {
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  offsetCommitApi,
} from '../../wire/apis/08-offset-commit.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';
import { resolvePartition, resolveTopic } from '../topics.ts';

type TopicResponse = OffsetCommitResponse['topics'][number];

/**
 * Commits positions. Partitions that do not exist are refused here; the others go to the group's coordinator, which
 * knows topics by name whatever the version calls them.
 */
export const offsetCommit = handler({
  api: offsetCommitApi,
  min: 2,
  max: 10,
  handle(call, request) {
    const { image } = call.gateway;
    const shard = coordinatorOf(call, request.groupId);
    const refuse = (errorCode: number) =>
      call.reply({
        throttleTimeMs: 0,
        topics: request.topics.map((topic) => refused(topic, () => errorCode)),
      });
    if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    if (shard === undefined) return refuse(ErrorCode.NOT_COORDINATOR);

    const known: OffsetCommitRequest['topics'] = [];
    const missing = new Map<OffsetCommitRequest['topics'][number], Map<number, number>>();
    for (const topic of request.topics) {
      const errors = new Map<number, number>();
      for (const { partitionIndex } of topic.partitions) {
        const place = resolvePartition(image, topic, partitionIndex);
        if ('errorCode' in place) errors.set(partitionIndex, place.errorCode);
      }
      missing.set(topic, errors);
      const partitions = topic.partitions.filter(({ partitionIndex }) => !errors.has(partitionIndex));
      const found = resolveTopic(image, topic);
      if (partitions.length > 0 && 'id' in found)
        known.push({ name: found.name, topicId: found.id, partitions });
    }
    call.ask(shard, { ...request, topics: known }, (reply) => {
      if (reply.errorCode !== undefined) return refuse(coordinatorError(reply.errorCode));
      const answered = (reply.body as OffsetCommitResponse).topics;
      const codes = new Map(
        answered.flatMap(({ name, partitions }) =>
          partitions.map(
            ({ partitionIndex, errorCode }) => [`${name}/${partitionIndex}`, errorCode] as const,
          ),
        ),
      );
      const topics = request.topics.map((topic) => {
        const found = resolveTopic(image, topic);
        const name = 'id' in found ? found.name : topic.name;
        return refused(
          topic,
          (partition) =>
            missing.get(topic)?.get(partition) ??
            codes.get(`${name}/${partition}`) ??
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        );
      });
      call.reply({ throttleTimeMs: 0, topics });
    });
  },
});

export function refused(
  topic: OffsetCommitRequest['topics'][number],
  codeOf: (partition: number) => number,
): TopicResponse {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: codeOf(partitionIndex),
    })),
  };
}
