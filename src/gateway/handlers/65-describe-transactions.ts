import { noDescription } from '../../txn/index.ts';
import {
  type DescribeTransactionsResponse,
  describeTransactionsApi,
} from '../../wire/apis/65-describe-transactions.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';
import { askCoordinator } from '../transactions.ts';

/** State and partitions of transactions, each from its coordinator. */
export const describeTransactions = handler({
  api: describeTransactionsApi,
  min: 0,
  max: 0,
  handle(call, { transactionalIds }) {
    const transactionStates: DescribeTransactionsResponse['transactionStates'] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, transactionStates }));
    transactionalIds.forEach((transactionalId, at) => {
      gather.enter();
      const answer = (described: DescribeTransactionsResponse['transactionStates'][number]) => {
        transactionStates[at] = described;
        gather.leave();
      };
      askCoordinator<DescribeTransactionsResponse>(call, transactionalId, {
        apiKey: describeTransactionsApi.key,
        apiVersion: call.version,
        body: { transactionalIds: [transactionalId] },
        onAnswer: ({ transactionStates: [described] }) => described && answer(described),
        onError: (errorCode) => answer(noDescription(transactionalId, errorCode)),
      });
    });
    gather.seal();
  },
});
