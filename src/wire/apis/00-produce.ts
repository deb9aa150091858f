import {
  api,
  array,
  int16,
  int32,
  int64,
  literal,
  nullableString,
  records,
  string,
  struct,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

const partitionData = literal(
  {
    index: int32('0+'),
    records: records('0+'),
  },
  (read, from) => ({
    index: read.index(from),
    records: read.records(from),
  }),
);

const topicData = literal(
  {
    name: string('0-12'),
    topicId: uuid('13+'),
    partitionData: array('0+', partitionData),
  },
  (read, from) => ({
    name: read.name(from),
    topicId: read.topicId(from),
    partitionData: read.partitionData(from),
  }),
);

const partitionResponse = literal(
  {
    index: int32('0+'),
    errorCode: int16('0+'),
    baseOffset: int64('0+'),
    logAppendTimeMs: int64('2+', { default: -1 }),
    logStartOffset: int64('5+', { default: -1 }),
    recordErrors: array('8+', {
      batchIndex: int32('8+'),
      batchIndexErrorMessage: nullableString('8+', { default: null }),
    }),
    errorMessage: nullableString('8+', { default: null }),
    currentLeader: struct(
      '10+',
      { leaderId: int32('10+', { default: -1 }), leaderEpoch: int32('10+', { default: -1 }) },
      { tag: 0 },
    ),
  },
  (read, from) => ({
    index: read.index(from),
    errorCode: read.errorCode(from),
    baseOffset: read.baseOffset(from),
    logAppendTimeMs: read.logAppendTimeMs(from),
    logStartOffset: read.logStartOffset(from),
    recordErrors: read.recordErrors(from),
    errorMessage: read.errorMessage(from),
    currentLeader: read.currentLeader(from),
  }),
);

const topicResponse = literal(
  {
    name: string('0-12'),
    topicId: uuid('13+'),
    partitionResponses: array('0+', partitionResponse),
  },
  (read, from) => ({
    name: read.name(from),
    topicId: read.topicId(from),
    partitionResponses: read.partitionResponses(from),
  }),
);

const produceResponse = literal(
  {
    responses: array('0+', topicResponse),
    throttleTimeMs: int32('1+', { default: 0 }),
    nodeEndpoints: array(
      '10+',
      {
        nodeId: int32('10+'),
        host: string('10+'),
        port: int32('10+'),
        rack: nullableString('10+', { default: null }),
      },
      { tag: 0 },
    ),
  },
  (read, from) => ({
    responses: read.responses(from),
    throttleTimeMs: read.throttleTimeMs(from),
    nodeEndpoints: read.nodeEndpoints(from),
  }),
);

const produceRequest = literal(
  {
    transactionalId: nullableString('3+', { default: null }),
    acks: int16('0+'),
    timeoutMs: int32('0+'),
    topicData: array('0+', topicData),
  },
  (read, from) => ({
    transactionalId: read.transactionalId(from),
    acks: read.acks(from),
    timeoutMs: read.timeoutMs(from),
    topicData: read.topicData(from),
  }),
);

/**
 * Appends record batches, one a partition. v3 brought RecordBatch v2 and transactions; v0-2 carry older
 * message sets and are only advertised (KAFKA-18659). v5 tells the log start, v7 allows zstd (KIP-110), v8
 * names bad records (KIP-467), v9 is flexible, v10 names a new leader (KIP-951), v11 and v12 change
 * transaction errors (KIP-890), v13 has topic ids (KIP-516).
 */
export const produceApi = api({
  name: 'Produce',
  key: 0,
  versions: '0-13',
  flexible: '9+',
  request: produceRequest,
  response: produceResponse,
});

export type ProduceRequest = RequestOf<typeof produceApi>;
export type ProduceResponse = ResponseOf<typeof produceApi>;
