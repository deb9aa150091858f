import { errorInfo } from '../model/errors.ts';
import { MilenaError } from './milena-error.ts';
import { titleOf, type TopicPartition } from './topic-partition.ts';

export { type ClientErrorCode, type ErrorFacts, MilenaError } from './milena-error.ts';

/** CONNECTION_LOST: what was asked may have been done or not. */
export class ConnectionLost extends MilenaError {
  override name = 'ConnectionLost';

  constructor(message: string, cause?: unknown) {
    const hint = 'is a broker running there, and is that the address it tells its clients?';
    super(message, { code: 'CONNECTION_LOST', retriable: true, hint, cause });
  }
}

/** A broker's refusal; `code` is Kafka's name for it. */
export class BrokerError extends MilenaError {
  override name = 'BrokerError';
  /** Kafka's number. */
  readonly errorCode: number;

  /** @param where it happened. @param why in the broker's own words. */
  constructor(errorCode: number, where?: string, why?: string | null) {
    const { name, retriable } = errorInfo(errorCode);
    const what = where === undefined ? name : `${where}: ${name}`;
    super(why ? `${what} (${why})` : what, { code: name, retriable, hint: HINTS[name] });
    this.errorCode = errorCode;
  }
}

/** A broker does not take a batch, and will not. */
export class RefusedError extends BrokerError {
  override name = 'RefusedError';
  readonly partition: number;
  /** The first record of the batch that the broker named, from 0. */
  readonly recordIndex: number | undefined;

  constructor(
    errorCode: number,
    about: { topic: string; partition: number; recordIndex: number | undefined; why: string | null },
  ) {
    const { partition, recordIndex, why } = about;
    super(errorCode, `${titleOf(about)} refused it`, why);
    this.partition = partition;
    this.recordIndex = recordIndex;
  }
}

/** What people can do about it. */
const HINTS: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'create the topic, or look at its name and the number of its partitions',
  INVALID_TOPIC_EXCEPTION: 'topic names have letters, digits, dots, dashes and underscores, 249 at most',
  TOPIC_AUTHORIZATION_FAILED: 'ask for the right to use this topic',
  CLUSTER_AUTHORIZATION_FAILED: 'ask for the right to do this',
  SASL_AUTHENTICATION_FAILED:
    'look at the name and the password, or at the token, and at which broker this is',
  UNSUPPORTED_SASL_MECHANISM: 'choose one of those that the broker takes',
  ILLEGAL_SASL_STATE: 'give the option sasl where logins are wanted, and leave it out where they are not',
  LEADER_NOT_AVAILABLE: 'is the broker that holds the partition running?',
  NOT_ENOUGH_REPLICAS: 'start the brokers that hold replicas, or lower min.insync.replicas',
  UNSUPPORTED_VERSION:
    'the broker is too old or too new for this, or it is of Milena, which lacks some of what Apache Kafka serves',
  UNSUPPORTED_COMPRESSION_TYPE: 'choose another compression',
  INVALID_RECORD: 'is the topic compacted? then each record wants a key',
  INCONSISTENT_GROUP_PROTOCOL: 'all members of a group need an assignor in common: name theirs too',
  PRODUCER_FENCED:
    'another has begun with the same transactionalId, or it took longer than transactionTimeoutMs',
  INVALID_TRANSACTION_TIMEOUT: 'the broker allows at most transaction.max.timeout.ms',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'ask for the right to use this transactionalId',
  FENCED_INSTANCE_ID: 'another consumer runs under the same instanceId',
  GROUP_AUTHORIZATION_FAILED: 'ask for the right to use this group',
  GROUP_MAX_SIZE_REACHED: 'the group has as many members as the broker allows',
  INVALID_SESSION_TIMEOUT:
    'the broker allows sessionTimeoutMs within group.min and group.max.session.timeout.ms',
  MESSAGE_TOO_LARGE: 'raise max.message.bytes of the topic, or write smaller records',
};

/** Whether trying again may help. */
export function mayRetry(error: unknown): boolean {
  return error instanceof MilenaError && error.retriable;
}

export function closedError(what: string): MilenaError {
  return new MilenaError(`${what} is closed`, { code: 'CLOSED' });
}

/** INVALID_ARGUMENT: who is asked does not have the partition. */
export function notAssigned(one: TopicPartition): MilenaError {
  return invalidArgument(`${titleOf(one)} is not assigned`, 'assignment says what is');
}

/** INVALID_ARGUMENT: nothing was done. */
export function invalidArgument(message: string, hint?: string): MilenaError {
  return new MilenaError(message, { code: 'INVALID_ARGUMENT', hint });
}
