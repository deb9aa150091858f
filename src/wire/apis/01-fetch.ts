import {
  api,
  array,
  int16,
  int32,
  int64,
  int64Exact,
  int8,
  literal,
  nullableArray,
  nullableString,
  records,
  string,
  struct,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

const partition = literal(
  {
    partition: int32('0+'),
    currentLeaderEpoch: int32('9+', { default: -1 }),
    fetchOffset: int64('0+'),
    lastFetchedEpoch: int32('12+', { default: -1 }),
    logStartOffset: int64('5+', { default: -1 }),
    partitionMaxBytes: int32('0+'),
    replicaDirectoryId: uuid('17+', { tag: 0 }),
    highWatermark: int64Exact('18+', { default: 0x7fff_ffff_ffff_ffffn, tag: 1 }),
  },
  (read, from) => ({
    partition: read.partition(from),
    currentLeaderEpoch: read.currentLeaderEpoch(from),
    fetchOffset: read.fetchOffset(from),
    lastFetchedEpoch: read.lastFetchedEpoch(from),
    logStartOffset: read.logStartOffset(from),
    partitionMaxBytes: read.partitionMaxBytes(from),
    replicaDirectoryId: read.replicaDirectoryId(from),
    highWatermark: read.highWatermark(from),
  }),
);

const partitionResponse = literal(
  {
    partitionIndex: int32('0+'),
    errorCode: int16('0+'),
    highWatermark: int64('0+'),
    lastStableOffset: int64('4+', { default: -1 }),
    logStartOffset: int64('5+', { default: -1 }),
    divergingEpoch: struct(
      '12+',
      { epoch: int32('12+', { default: -1 }), endOffset: int64('12+', { default: -1 }) },
      { tag: 0 },
    ),
    currentLeader: struct(
      '12+',
      { leaderId: int32('12+', { default: -1 }), leaderEpoch: int32('12+', { default: -1 }) },
      { tag: 1 },
    ),
    snapshotId: struct(
      '12+',
      { endOffset: int64('0+', { default: -1 }), epoch: int32('0+', { default: -1 }) },
      { tag: 2 },
    ),
    abortedTransactions: nullableArray('4+', { producerId: int64('4+'), firstOffset: int64('4+') }),
    preferredReadReplica: int32('11+', { default: -1 }),
    records: records('0+'),
  },
  (read, from) => ({
    partitionIndex: read.partitionIndex(from),
    errorCode: read.errorCode(from),
    highWatermark: read.highWatermark(from),
    lastStableOffset: read.lastStableOffset(from),
    logStartOffset: read.logStartOffset(from),
    divergingEpoch: read.divergingEpoch(from),
    currentLeader: read.currentLeader(from),
    snapshotId: read.snapshotId(from),
    abortedTransactions: read.abortedTransactions(from),
    preferredReadReplica: read.preferredReadReplica(from),
    records: read.records(from),
  }),
);

/**
 * Reads record batches; replicas read with it too. v4 brought transactions, v5 the log start, v7 sessions
 * (KIP-227), v9 leader epochs (KIP-320), v10 zstd (KIP-110), v11 racks (KIP-392), v12 is flexible and finds
 * diverging logs (KIP-595), v13 has topic ids (KIP-516), v15 replica epochs (KIP-903), v16 names a new
 * leader (KIP-951), v17 replica directories (KIP-853), v18 tells the high watermark a replica knows
 * (KIP-1166).
 */
export const fetchApi = api({
  name: 'Fetch',
  key: 1,
  versions: '0-18',
  flexible: '12+',
  request: {
    clusterId: nullableString('12+', { default: null, tag: 0 }),
    replicaId: int32('0-14', { default: -1 }),
    replicaState: struct(
      '15+',
      {
        replicaId: int32('15+', { default: -1 }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 0x7fff_ffff }),
    isolationLevel: int8('4+', { default: 0 }),
    sessionId: int32('7+', { default: 0 }),
    sessionEpoch: int32('7+', { default: -1 }),
    topics: array('0+', {
      topic: string('0-12'),
      topicId: uuid('13+'),
      partitions: array('0+', partition),
    }),
    forgottenTopicsData: array('7+', {
      topic: string('7-12'),
      topicId: uuid('13+'),
      partitions: array('7+', int32('0+')),
    }),
    rackId: string('11+'),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('7+'),
    sessionId: int32('7+', { default: 0 }),
    responses: array('0+', {
      topic: string('0-12'),
      topicId: uuid('13+'),
      partitions: array('0+', partitionResponse),
    }),
    nodeEndpoints: array(
      '16+',
      {
        nodeId: int32('16+'),
        host: string('16+'),
        port: int32('16+'),
        rack: nullableString('16+', { default: null }),
      },
      { tag: 0 },
    ),
  },
});

export type FetchRequest = RequestOf<typeof fetchApi>;
export type FetchResponse = ResponseOf<typeof fetchApi>;
