import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides. */
export const createTopics = handler({
  api: createTopicsApi,
  min: 2,
  max: 7,
  exclusive: true,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) return call.reply(reply.body);
      call.reply({
        topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: [] })),
      });
    });
  },
});
