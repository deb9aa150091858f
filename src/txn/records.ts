import { KafkaError } from '../model/errors.ts';
import type { MachineRecord } from '../model/machine.ts';
import { encodeMessage, readMessage } from '../wire/codec.ts';
import { keyReader, typed, valueReader } from '../wire/coordinator-record.ts';
import type { Reader } from '../wire/reader.ts';
import { array, int16, int32, int64, int8, message, nullableArray, string } from '../wire/schema.ts';
import { NO_EPOCH, NO_PRODUCER_ID, TRANSACTION_STATES } from './transaction.ts';
import type { TopicPartitions, Transaction } from './transaction.ts';

export const transactionLogKey = message({
  name: 'TransactionLogKey',
  versions: '0',
  flexible: 'none',
  fields: { transactionalId: string('0+') },
});

/**
 * v1 has tagged fields (transaction.version 1). `lastProducerEpoch` is ours, under a number that Kafka, which counts
 * from 0, will not come to: its readers pass it over, and forget it when they restart. Left out: what two-phase
 * commit adds (KIP-939).
 */
export const transactionLogValue = message({
  name: 'TransactionLogValue',
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: int64('0+'),
    previousProducerId: int64('1+', { tag: 0, default: NO_PRODUCER_ID }),
    nextProducerId: int64('1+', { tag: 1, default: NO_PRODUCER_ID }),
    producerEpoch: int16('0+'),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: nullableArray('0+', {
      topic: string('0+'),
      partitionIds: array('0+', int32('0+')),
    }),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2, default: 0 }),
    lastProducerEpoch: int16('1+', { tag: 10_000, default: NO_EPOCH }),
  },
});

/** A record of the coordinator's log, read. A null transaction is a tombstone. */
export interface TransactionRecord {
  transactionalId: string;
  transaction: Transaction | null;
}

const KEY_TYPE = 0;
const VALUE_VERSION = 1;

export function transactionRecord(transactionalId: string, transaction: Transaction | null): MachineRecord {
  const key = typed(KEY_TYPE, encodeMessage(transactionLogKey, 0, { transactionalId }));
  if (transaction === null) return { key, value: null };
  const { state, partitions } = transaction;
  const value = encodeMessage(transactionLogValue, VALUE_VERSION, {
    producerId: transaction.producerId,
    previousProducerId: transaction.previousProducerId,
    nextProducerId: transaction.nextProducerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: TRANSACTION_STATES.indexOf(state),
    transactionPartitions:
      state === 'Empty'
        ? null
        : [...partitions].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] })),
    transactionLastUpdateTimestampMs: transaction.updatedAtMs,
    transactionStartTimestampMs: transaction.startedAtMs,
    clientTransactionVersion: transaction.clientVersion,
    lastProducerEpoch: transaction.lastProducerEpoch,
  });
  return { key, value: typed(VALUE_VERSION, value) };
}

/** Undefined for what is not ours to read: versions of the future, keys of no coordinator. */
export function decodeRecord(record: MachineRecord): TransactionRecord | undefined {
  try {
    const key = keyReader(record);
    if (key === undefined || key.int16() !== KEY_TYPE) return undefined;
    const { transactionalId } = readMessage(transactionLogKey, 0, key);
    const value = valueReader(record);
    if (value === undefined) return { transactionalId, transaction: null };
    const transaction = decodeValue(value);
    return transaction && { transactionalId, transaction };
  } catch (error) {
    if (error instanceof KafkaError) return undefined;
    throw error;
  }
}

function decodeValue(reader: Reader): Transaction | undefined {
  const value = readMessage(transactionLogValue, reader.int16(), reader);
  const state = TRANSACTION_STATES[value.transactionStatus];
  if (state === undefined) return undefined;
  return {
    state,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: value.lastProducerEpoch,
    timeoutMs: value.transactionTimeoutMs,
    partitions: partitionsOf(value.transactionPartitions ?? []),
    startedAtMs: value.transactionStartTimestampMs,
    updatedAtMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  };
}

function partitionsOf(
  topics: readonly { topic: string; partitionIds: readonly number[] }[],
): TopicPartitions {
  return new Map(topics.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]));
}
