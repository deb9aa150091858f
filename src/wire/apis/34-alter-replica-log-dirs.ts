import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Moves replicas to other log directories of their broker (KIP-113). v1 is answered before it is throttled,
 * v2 is flexible. v0, which 4.0 removed, is left out.
 */
export const alterReplicaLogDirsApi = api({
  name: 'AlterReplicaLogDirs',
  key: 34,
  versions: '1-2',
  flexible: '2+',
  request: {
    dirs: array('0+', {
      path: string('0+'),
      topics: array('0+', { name: string('0+'), partitions: array('0+', int32('0+')) }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
    }),
  },
});

export type AlterReplicaLogDirsRequest = RequestOf<typeof alterReplicaLogDirsApi>;
export type AlterReplicaLogDirsResponse = ResponseOf<typeof alterReplicaLogDirsApi>;
