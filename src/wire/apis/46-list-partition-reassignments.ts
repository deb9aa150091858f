import {
  api,
  array,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Partitions that move to other replicas, and where to (KIP-455). */
export const listPartitionReassignmentsApi = api({
  name: 'ListPartitionReassignments',
  key: 46,
  versions: '0',
  flexible: '0+',
  request: {
    timeoutMs: int32('0+', { default: 60_000 }),
    topics: nullableArray(
      '0+',
      { name: string('0+'), partitionIndexes: array('0+', int32('0+')) },
      { default: null },
    ),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: array('0+', int32('0+')),
        addingReplicas: array('0+', int32('0+')),
        removingReplicas: array('0+', int32('0+')),
      }),
    }),
  },
});

export type ListPartitionReassignmentsRequest = RequestOf<typeof listPartitionReassignmentsApi>;
export type ListPartitionReassignmentsResponse = ResponseOf<typeof listPartitionReassignmentsApi>;
