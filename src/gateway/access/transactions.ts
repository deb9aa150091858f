import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { addPartitionsToTxnApi } from '../../wire/apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../wire/apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../wire/apis/26-end-txn.ts';
import { type TxnOffsetCommitResponse, txnOffsetCommitApi } from '../../wire/apis/28-txn-offset-commit.ts';
import {
  type DescribeTransactionsResponse,
  describeTransactionsApi,
} from '../../wire/apis/65-describe-transactions.ts';
import { type ListTransactionsResponse, listTransactionsApi } from '../../wire/apis/66-list-transactions.ts';
import { noDescription } from '../../txn/index.ts';
import { MANY_VERSION, results } from '../handlers/24-add-partitions-to-txn.ts';
import { answered as commitAnswered } from '../handlers/28-txn-offset-commit.ts';
import type { Access } from './access.ts';
import { type Guard, guard, parted, wholly } from './guard.ts';

const REFUSED = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;

function mayWrite(access: Access, transactionalId: string): boolean {
  return access.transactionalId(Op.WRITE, transactionalId);
}

/** Of many transactions brokers alone ask. One topic that may not be written to keeps the others out. */
const addPartitions = guard(addPartitionsToTxnApi, ({ call, request, access }) => {
  if (call.version >= MANY_VERSION) {
    if (access.cluster(Op.CLUSTER_ACTION)) return request;
    const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    call.reply({ throttleTimeMs: 0, errorCode, resultsByTransaction: [] });
    return undefined;
  }
  const { v3AndBelowTransactionalId, v3AndBelowTopics: topics } = request;
  const isProducer = mayWrite(access, v3AndBelowTransactionalId);
  const isRefused = (name: string) => !access.topic(Op.WRITE, name);
  if (isProducer && !topics.some(({ name }) => isRefused(name))) return request;
  const codeOf = (name: string) =>
    isRefused(name) ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.OPERATION_NOT_ATTEMPTED;
  const resultsByTopicV3AndBelow = results(topics, (name) => (isProducer ? codeOf(name) : REFUSED));
  call.reply({ throttleTimeMs: 0, resultsByTopicV3AndBelow });
  return undefined;
});

const addOffsets = wholly(
  addOffsetsToTxnApi,
  ({ request: { transactionalId, groupId }, access }) => {
    if (!mayWrite(access, transactionalId)) return REFUSED;
    return access.group(Op.READ, groupId) ? undefined : ErrorCode.GROUP_AUTHORIZATION_FAILED;
  },
  (errorCode) => ({ throttleTimeMs: 0, errorCode }),
);

const endTxn = wholly(
  endTxnApi,
  ({ request, access }) => (mayWrite(access, request.transactionalId) ? undefined : REFUSED),
  (errorCode) => ({ throttleTimeMs: 0, errorCode }),
);

const txnOffsetCommit = guard(txnOffsetCommitApi, ({ call, request, access }) => {
  const isProducer = mayWrite(access, request.transactionalId);
  if (!isProducer || !access.group(Op.READ, request.groupId)) {
    const code = isProducer ? ErrorCode.GROUP_AUTHORIZATION_FAILED : REFUSED;
    call.reply({ throttleTimeMs: 0, topics: commitAnswered(request.topics, () => code) });
    return undefined;
  }
  const { allowed, refused } = parted(request.topics, ({ name }) => access.topic(Op.READ, name));
  if (refused.length === 0) return request;
  const refusals = commitAnswered(refused, () => ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  call.amend((body: TxnOffsetCommitResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

/** Of a transaction's topics those are told that may be described. */
const describeTransactions = guard(describeTransactionsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.transactionalIds, (id) =>
    access.transactionalId(Op.DESCRIBE, id),
  );
  const refusals = refused.map((id) => noDescription(id, REFUSED));
  call.amend((body: DescribeTransactionsResponse) => {
    const described = body.transactionStates.map((each) => ({
      ...each,
      topics: each.topics.filter(({ topic }) => access.topic(Op.DESCRIBE, topic)),
    }));
    return { ...body, transactionStates: [...described, ...refusals] };
  });
  return { ...request, transactionalIds: allowed };
});

const listTransactions = guard(listTransactionsApi, ({ call, request, access }) => {
  call.amend((body: ListTransactionsResponse) => ({
    ...body,
    transactionStates: body.transactionStates.filter(({ transactionalId }) =>
      access.transactionalId(Op.DESCRIBE, transactionalId),
    ),
  }));
  return request;
});

export const TRANSACTION_GUARDS: readonly Guard[] = [
  addPartitions,
  addOffsets,
  endTxn,
  txnOffsetCommit,
  describeTransactions,
  listTransactions,
];
