import { type EndTxnResponse, endTxnApi } from '../../wire/apis/26-end-txn.ts';
import { handler } from '../handler.ts';
import { askCoordinator } from '../transactions.ts';

/** Commits or aborts, at the coordinator. */
export const endTxn = handler({
  api: endTxnApi,
  min: 0,
  max: 5,
  handle(call, request) {
    askCoordinator<EndTxnResponse>(call, request.transactionalId, {
      apiKey: endTxnApi.key,
      apiVersion: call.version,
      body: request,
      onAnswer: (answer) => call.reply(answer),
      onError: (errorCode) => call.reply({ throttleTimeMs: 0, errorCode }),
    });
  },
});
