import { MilenaError } from '../client/milena-error.ts';

/**
 * Kafka's errors that what a page asks can come to, by number; a `*` is before those that another try may help. All of
 * them (`model/errors.ts`) would be a sixth of what this entry may weigh: the others are told by their number.
 */
const NAMES: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN_SERVER_ERROR',
  1: 'OFFSET_OUT_OF_RANGE',
  2: '*CORRUPT_MESSAGE',
  3: '*UNKNOWN_TOPIC_OR_PARTITION',
  5: '*LEADER_NOT_AVAILABLE',
  6: '*NOT_LEADER_OR_FOLLOWER',
  7: '*REQUEST_TIMED_OUT',
  9: '*REPLICA_NOT_AVAILABLE',
  10: 'MESSAGE_TOO_LARGE',
  13: '*NETWORK_EXCEPTION',
  14: '*COORDINATOR_LOAD_IN_PROGRESS',
  15: '*COORDINATOR_NOT_AVAILABLE',
  16: '*NOT_COORDINATOR',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: '*NOT_ENOUGH_REPLICAS',
  20: '*NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  35: 'UNSUPPORTED_VERSION',
  42: 'INVALID_REQUEST',
  43: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  44: 'POLICY_VIOLATION',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  46: 'DUPLICATE_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  56: '*KAFKA_STORAGE_ERROR',
  58: 'SASL_AUTHENTICATION_FAILED',
  59: 'UNKNOWN_PRODUCER_ID',
  74: '*FENCED_LEADER_EPOCH',
  75: '*UNKNOWN_LEADER_EPOCH',
  76: 'UNSUPPORTED_COMPRESSION_TYPE',
  78: '*OFFSET_NOT_AVAILABLE',
  87: 'INVALID_RECORD',
  89: '*THROTTLING_QUOTA_EXCEEDED',
  100: '*UNKNOWN_TOPIC_ID',
  103: '*INCONSISTENT_TOPIC_ID',
};

const HINTS: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'create the topic, or look at its name',
  INVALID_TOPIC_EXCEPTION: 'topic names have letters, digits, dots, dashes and underscores, 249 at most',
  TOPIC_AUTHORIZATION_FAILED: 'ask for the right to use this topic',
  MESSAGE_TOO_LARGE: 'raise max.message.bytes of the topic, or write smaller records',
  UNSUPPORTED_VERSION: 'the broker is too old or too new for this page',
  INVALID_RECORD: 'is the topic compacted? then each record wants a key',
};

/** A broker's refusal. @param why in its own words. */
export function refusal(errorCode: number, where: string, why?: string | null): MilenaError {
  const name = NAMES[errorCode] ?? `KAFKA_ERROR_${errorCode}`;
  const code = name.replace('*', '');
  const message = why ? `${where}: ${code} (${why})` : `${where}: ${code}`;
  return new MilenaError(message, { code, retriable: code !== name, hint: HINTS[code] });
}

/** What was asked may have been done or not. */
export function lost(why: string, cause?: unknown): MilenaError {
  const hint = 'is a broker running there, and may this page use it (--allow-origin)?';
  return new MilenaError(why, { code: 'CONNECTION_LOST', retriable: true, hint, cause });
}

export function closed(): MilenaError {
  return new MilenaError('the connection is closed', { code: 'CLOSED' });
}

export function invalid(message: string, hint?: string): MilenaError {
  return new MilenaError(message, { code: 'INVALID_ARGUMENT', hint });
}

export function mayRetry(error: unknown): boolean {
  return error instanceof MilenaError && error.retriable;
}
