import { ErrorCode } from '../../model/errors.ts';
import { TRANSACTION_STATE_TOPIC } from '../../model/ids.ts';
import { txnShard } from '../../ports/shard-link.ts';
import { type ListTransactionsResponse, listTransactionsApi } from '../../wire/apis/66-list-transactions.ts';
import { Gather } from '../gather.ts';
import { coordinatorError } from '../groups.ts';
import { handler } from '../handler.ts';

/**
 * All transactional ids of all coordinators; one that cannot serve fails the whole, for a list with holes would
 * mislead.
 * Left out: v2, which asks by a pattern (KIP-1152).
 */
export const listTransactions = handler({
  api: listTransactionsApi,
  min: 0,
  max: 1,
  handle(call, request) {
    const transactionStates: ListTransactionsResponse['transactionStates'] = [];
    const unknown = new Set<string>();
    let errorCode: number = ErrorCode.NONE;
    const gather = new Gather(() =>
      call.reply({ throttleTimeMs: 0, errorCode, unknownStateFilters: [...unknown], transactionStates }),
    );
    for (const { index } of call.gateway.image.topic(TRANSACTION_STATE_TOPIC)?.partitions ?? []) {
      gather.enter();
      call.ask(txnShard(index), request, (reply) => {
        const listed = reply.body as ListTransactionsResponse | undefined;
        if (listed === undefined) errorCode = coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR);
        else transactionStates.push(...listed.transactionStates);
        for (const name of listed?.unknownStateFilters ?? []) unknown.add(name);
        gather.leave();
      });
    }
    gather.seal();
  },
});
