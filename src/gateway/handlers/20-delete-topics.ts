import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides; the shards drop their logs when metadata says so. */
export const deleteTopics = handler({
  api: deleteTopicsApi,
  min: 1,
  max: 6,
  exclusive: true,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) return call.reply(reply.body);
      const named = request.topicNames.map((name) => ({ name, errorCode }));
      const listed = request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode }));
      call.reply({ throttleTimeMs: 0, responses: [...named, ...listed] });
    });
  },
});
