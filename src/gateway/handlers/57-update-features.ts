import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { updateFeaturesApi } from '../../wire/apis/57-update-features.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** The controller decides. */
export const updateFeatures = handler({
  api: updateFeaturesApi,
  min: 0,
  max: 2,
  exclusive: true,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) return call.reply(reply.body);
      const results = request.featureUpdates.map(({ feature }) => ({
        feature,
        errorCode,
        errorMessage: null,
      }));
      call.reply({ throttleTimeMs: 0, errorCode, errorMessage: null, results });
    });
  },
});
