import {
  api,
  array,
  int16,
  int32,
  int8,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Finds the coordinator of a group (key type 0), a transactional id (1, from v1) or a share group's
 * partition (2, v6, KIP-932). v3 is flexible, v4 asks for many keys (KIP-699), v5 may answer
 * TRANSACTION_ABORTABLE (KIP-890).
 */
export const findCoordinatorApi = api({
  name: 'FindCoordinator',
  key: 10,
  versions: '0-6',
  flexible: '3+',
  request: {
    key: string('0-3'),
    keyType: int8('1+', { default: 0 }),
    coordinatorKeys: array('4+', string('0+')),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0-3'),
    errorMessage: nullableString('1-3'),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array('4+', {
      key: string('4+'),
      nodeId: int32('4+'),
      host: string('4+'),
      port: int32('4+'),
      errorCode: int16('4+'),
      errorMessage: nullableString('4+'),
    }),
  },
});

export type FindCoordinatorRequest = RequestOf<typeof findCoordinatorApi>;
export type FindCoordinatorResponse = ResponseOf<typeof findCoordinatorApi>;
