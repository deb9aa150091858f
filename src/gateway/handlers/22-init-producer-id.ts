import { type InitProducerIdResponse, initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { askController } from '../controller.ts';
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
        onError: (errorCode) => call.reply(refused(errorCode)),
      });
    }
    askController(call, request, refused);
  },
});

function refused(errorCode: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 };
}
