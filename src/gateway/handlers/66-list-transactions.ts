import { TopicPattern } from '../../group/regex/topic-pattern.ts';
import { ErrorCode, KafkaError } from '../../model/errors.ts';
import { TRANSACTION_STATE_TOPIC } from '../../model/ids.ts';
import { txnShard } from '../../ports/shard-link.ts';
import { type ListTransactionsResponse, listTransactionsApi } from '../../wire/apis/66-list-transactions.ts';
import { Gather } from '../gather.ts';
import { coordinatorError } from '../groups.ts';
import { handler } from '../handler.ts';

/**
 * All transactional ids of all coordinators, or those that match a pattern of RE2's as wholes (KIP-1152). A coordinator
 * that cannot serve fails the whole, for a list with holes would mislead.
 */
export const listTransactions = handler({
  api: listTransactionsApi,
  min: 0,
  max: 2,
  handle(call, request) {
    let isMeant: (transactionalId: string) => boolean;
    try {
      isMeant = meantBy(request.transactionalIdPattern);
    } catch (error) {
      if (error instanceof KafkaError) return call.reply({ errorCode: error.code, ...NOTHING });
      throw error;
    }
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
        else
          transactionStates.push(...listed.transactionStates.filter((each) => isMeant(each.transactionalId)));
        for (const name of listed?.unknownStateFilters ?? []) unknown.add(name);
        gather.leave();
      });
    }
    gather.seal();
  },
});

const NOTHING = { unknownStateFilters: [], transactionStates: [] };

/** @throws KafkaError INVALID_REGULAR_EXPRESSION */
function meantBy(pattern: string | null): (transactionalId: string) => boolean {
  if (pattern === null || pattern === '') return () => true;
  const known = new TopicPattern(pattern);
  return (transactionalId) => known.matches(transactionalId);
}
