import { ErrorCode } from '../../model/errors.ts';
import { type OffsetDeleteResponse, offsetDeleteApi } from '../../wire/apis/47-offset-delete.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';

/** Topics that do not exist are refused here; positions in the others are the coordinator's. */
export const offsetDelete = handler({
  api: offsetDeleteApi,
  min: 0,
  max: 0,
  handle(call, request) {
    const { groupId, topics } = request;
    const refuse = (errorCode: number) => call.reply({ errorCode, throttleTimeMs: 0, topics: [] });
    if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    const shard = coordinatorOf(call, groupId);
    if (shard === undefined) return refuse(ErrorCode.NOT_COORDINATOR);
    const isThere = ({ name }: { name: string }) => call.gateway.image.topic(name) !== undefined;
    const absent = topics
      .filter((topic) => !isThere(topic))
      .map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        })),
      }));
    call.ask(shard, { groupId, topics: topics.filter(isThere) }, (reply) => {
      if (reply.errorCode !== undefined) return refuse(coordinatorError(reply.errorCode));
      const answered = reply.body as OffsetDeleteResponse;
      call.reply({ ...answered, topics: [...answered.topics, ...absent] });
    });
  },
});
