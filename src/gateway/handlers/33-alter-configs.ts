import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { alterConfigsApi } from '../../wire/apis/33-alter-configs.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides; superseded by IncrementalAlterConfigs. */
export const alterConfigs = handler({
  api: alterConfigsApi,
  min: 0,
  max: 2,
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
