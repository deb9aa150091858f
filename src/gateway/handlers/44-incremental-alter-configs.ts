import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { incrementalAlterConfigsApi } from '../../wire/apis/44-incremental-alter-configs.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides. */
export const incrementalAlterConfigs = handler({
  api: incrementalAlterConfigsApi,
  min: 0,
  max: 1,
  exclusive: true,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) return call.reply(reply.body);
      const responses = request.resources.map(({ resourceType, resourceName }) => ({
        errorCode,
        errorMessage: null,
        resourceType,
        resourceName,
      }));
      call.reply({ throttleTimeMs: 0, responses });
    });
  },
});
