import { api, array, int16, int32, int64, uuid, type RequestOf, type ResponseOf } from '../schema.ts';

/** A broker tells the controller in which of its directories replicas are (KIP-858). */
export const assignReplicasToDirsApi = api({
  name: 'AssignReplicasToDirs',
  key: 73,
  versions: '0',
  flexible: '0+',
  request: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', { topicId: uuid('0+'), partitions: array('0+', { partitionIndex: int32('0+') }) }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', {
        topicId: uuid('0+'),
        partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
      }),
    }),
  },
});

export type AssignReplicasToDirsRequest = RequestOf<typeof assignReplicasToDirsApi>;
export type AssignReplicasToDirsResponse = ResponseOf<typeof assignReplicasToDirsApi>;
