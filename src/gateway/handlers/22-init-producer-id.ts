import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { type InitProducerIdResponse, initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import type { Call } from '../call.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';
import { askCoordinator } from '../transactions.ts';

/** A producer id: for idempotence alone the controller's, for a transactional id its coordinator's. */
export const initProducerId = handler({
  api: initProducerIdApi,
  min: 0,
  max: 5,
  handle(call, request) {
    const { transactionalId } = request;
    if (transactionalId !== null) {
      return askCoordinator<InitProducerIdResponse>(call, transactionalId, {
        apiKey: initProducerIdApi.key,
        apiVersion: call.version,
        body: request,
        onAnswer: (answer) => call.reply(answer),
        onError: (errorCode) => refuse(call, errorCode),
      });
    }
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode === undefined) call.reply(reply.body);
      else refuse(call, errorCode);
    });
  },
});

function refuse(call: Call, errorCode: number): void {
  call.reply({
    throttleTimeMs: 0,
    errorCode,
    producerId: -1,
    producerEpoch: -1,
  } satisfies InitProducerIdResponse);
}
