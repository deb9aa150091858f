import { ErrorCode } from '../model/errors.ts';
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../wire/apis/24-add-partitions-to-txn.ts';
import type { Asked, Turn } from './context.ts';
import { fencedCode } from './fenced-code.ts';
import { contains, isPrepared, V1_CLIENT, V2_CLIENT, withPartitions } from './transaction.ts';
import type { Transaction } from './transaction.ts';

type Add = Asked<AddPartitionsToTxnRequest>;
type Topics = AddPartitionsToTxnRequest['v3AndBelowTopics'];
type TopicResult = AddPartitionsToTxnResponse['resultsByTopicV3AndBelow'][number];
type ErrorOf = (topic: string, partition: number) => number;

/** One producer and what it wants in its transaction. */
interface Addition {
  transactionalId: string;
  producerId: number;
  producerEpoch: number;
  verifyOnly: boolean;
  topics: Topics;
}

/** From this version on brokers ask, for clients of transactions v2 or to verify what clients of v1 have added. */
const BROKERS_VERSION = 4;

/** Makes partitions part of a transaction, which begins with the first; all of them or none. */
export function decideAddPartitions(turn: Turn, { from, apiVersion, body }: Add): void {
  if (apiVersion >= BROKERS_VERSION) {
    const resultsByTransaction = body.transactions.map((addition) => ({
      transactionalId: addition.transactionalId,
      topicResults: results(addition.topics, add(turn, addition, V2_CLIENT)),
    }));
    return turn.reply(from, reply({ resultsByTransaction }));
  }
  const addition: Addition = {
    transactionalId: body.v3AndBelowTransactionalId,
    producerId: body.v3AndBelowProducerId,
    producerEpoch: body.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: body.v3AndBelowTopics,
  };
  const errorOf = add(turn, addition, V1_CLIENT);
  const told: ErrorOf = (topic, partition) => fencedCode(errorOf(topic, partition), apiVersion);
  turn.reply(from, reply({ resultsByTopicV3AndBelow: results(addition.topics, told) }));
}

function add(turn: Turn, addition: Addition, clientVersion: number): ErrorOf {
  const { transactionalId, verifyOnly, topics } = addition;
  const before = turn.find(transactionalId);
  const errorCode = validate(before, addition);
  if (errorCode !== ErrorCode.NONE || before === undefined) return () => errorCode;
  if (verifyOnly) {
    return (topic, partition) =>
      contains(before, topic, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE;
  }
  const isIn = topics.every(({ name, partitions }) => partitions.every((one) => contains(before, name, one)));
  if (before.state !== 'Ongoing' || !isIn) {
    const added = topics.map(({ name, partitions }) => [name, partitions] as const);
    turn.write(transactionalId, withPartitions(before, added, { clientVersion, nowMs: turn.nowMs }));
  }
  return () => ErrorCode.NONE;
}

function validate(
  before: Transaction | undefined,
  { transactionalId, producerId, producerEpoch }: Addition,
): number {
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
  if (producerId !== before?.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  if (producerEpoch !== before.producerEpoch) return ErrorCode.PRODUCER_FENCED;
  return isPrepared(before) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE;
}

function results(topics: Topics, errorOf: ErrorOf): TopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex),
    })),
  }));
}

function reply(
  answered: Partial<Pick<AddPartitionsToTxnResponse, 'resultsByTransaction' | 'resultsByTopicV3AndBelow'>>,
): AddPartitionsToTxnResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    resultsByTransaction: [],
    resultsByTopicV3AndBelow: [],
    ...answered,
  };
}
