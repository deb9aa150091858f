import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides. */
export const createPartitions = handler({
  api: createPartitionsApi,
  min: 0,
  max: 3,
  exclusive: true,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) return call.reply(reply.body);
      const results = request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null }));
      call.reply({ throttleTimeMs: 0, results });
    });
  },
});
