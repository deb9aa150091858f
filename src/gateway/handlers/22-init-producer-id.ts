import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';

/** A producer id for idempotence; the controller hands them out. */
export const initProducerId = handler({
  api: initProducerIdApi,
  min: 0,
  max: 5,
  handle(call, request) {
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      call.reply(
        errorCode === undefined
          ? reply.body
          : { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 },
      );
    });
  },
});
