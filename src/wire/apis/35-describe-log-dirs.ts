import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullableArray,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * What lies in the log directories of a broker, and how far replicas that move have come (KIP-113). v2 is
 * flexible, v3 has an error for all, v4 sizes of volumes (KIP-827), v5 cordoned directories (KIP-1066). v0,
 * which 4.0 removed, is left out.
 */
export const describeLogDirsApi = api({
  name: 'DescribeLogDirs',
  key: 35,
  versions: '1-5',
  flexible: '2+',
  request: { topics: nullableArray('0+', { topic: string('0+'), partitions: array('0+', int32('0+')) }) },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+'),
    results: array('0+', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: bool('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1 }),
      usableBytes: int64('4+', { default: -1 }),
      isCordoned: bool('5+', { default: false }),
    }),
  },
});

export type DescribeLogDirsRequest = RequestOf<typeof describeLogDirsApi>;
export type DescribeLogDirsResponse = ResponseOf<typeof describeLogDirsApi>;
