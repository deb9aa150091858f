import type { BrokerId, Uuid } from '../model/ids.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { ConfigLayers } from './configs/effective.ts';
import type { MetadataRecordInit } from './records.ts';

/** What a decision may look at. */
export interface ControllerContext extends ConfigLayers {
  /** The only chance there is: ids of new topics. */
  readonly uuid: () => Uuid;
}

/** Records to append as one batch, and what to answer once they are committed. */
export interface Outcome<Response> {
  records: MetadataRecordInit[];
  response: Response;
}

/** The most partitions one request may make (Kafka's bound on a metadata batch). */
export const PARTITIONS_PER_REQUEST_MAX = 10_000;
/** The most topics one request may name: refusing each in words takes time too. */
const TOPICS_PER_REQUEST_MAX = 10_000;
/** The most records one request may write (Kafka's bound). */
export const RECORDS_PER_REQUEST_MAX = 10_000;
export const DUPLICATE_NAME = 'Duplicate topic name.';

/** Replicas of each new partition, by ascending index. */
export type Assignments = readonly (readonly BrokerId[])[];

export function tooManyPartitions(): KafkaError {
  const what = 'Excessively large number of partitions per request.';
  return new KafkaError(ErrorCode.POLICY_VIOLATION, what);
}

/** One refusal for all topics of a request that names too many. */
export function tooManyTopics(count: number): KafkaError | undefined {
  return count <= TOPICS_PER_REQUEST_MAX ? undefined : tooManyRecords();
}

export function tooManyRecords(): KafkaError {
  return new KafkaError(ErrorCode.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.');
}

/** The items that occur more than once. */
export function duplicates<T>(items: Iterable<T>): Set<T> {
  const seen = new Set<T>();
  const twice = new Set<T>();
  for (const item of items) (seen.has(item) ? twice : seen).add(item);
  return twice;
}

/** Runs `decide`; a KafkaError it throws becomes its `error` answer, anything else is ours to hear of. */
export function answering<T>(decide: () => T, onError: (error: KafkaError) => T): T {
  try {
    return decide();
  } catch (error) {
    if (error instanceof KafkaError) return onError(error);
    throw error;
  }
}

/** Of one item among many: it is done, or why it is not. */
export const OK: { errorCode: number; errorMessage: string | null } = {
  errorCode: ErrorCode.NONE,
  errorMessage: null,
};

export function refused({ code: errorCode, message: errorMessage }: KafkaError) {
  return { errorCode, errorMessage };
}
