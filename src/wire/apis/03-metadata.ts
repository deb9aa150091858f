import {
  api,
  array,
  bool,
  int16,
  int32,
  literal,
  nullableArray,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

const partition = literal(
  {
    errorCode: int16('0+'),
    partitionIndex: int32('0+'),
    leaderId: int32('0+'),
    leaderEpoch: int32('7+', { default: -1 }),
    replicaNodes: array('0+', int32('0+')),
    isrNodes: array('0+', int32('0+')),
    offlineReplicas: array('5+', int32('0+')),
  },
  (read, from) => ({
    errorCode: read.errorCode(from),
    partitionIndex: read.partitionIndex(from),
    leaderId: read.leaderId(from),
    leaderEpoch: read.leaderEpoch(from),
    replicaNodes: read.replicaNodes(from),
    isrNodes: read.isrNodes(from),
    offlineReplicas: read.offlineReplicas(from),
  }),
);

const topic = literal(
  {
    errorCode: int16('0+'),
    name: nullableString('0+', { nullable: '12+' }),
    topicId: uuid('10+'),
    isInternal: bool('1+', { default: false }),
    partitions: array('0+', partition),
    topicAuthorizedOperations: int32('8+', { default: -0x8000_0000 }),
  },
  (read, from) => ({
    errorCode: read.errorCode(from),
    name: read.name(from),
    topicId: read.topicId(from),
    isInternal: read.isInternal(from),
    partitions: read.partitions(from),
    topicAuthorizedOperations: read.topicAuthorizedOperations(from),
  }),
);

/**
 * Brokers, topics, partitions and their leaders. v0: an empty list of topics means all; from v1 null does.
 * v4 says whether to create topics, v7 has leader epochs (KIP-320), v8 authorized operations (KIP-430), v9
 * is flexible, v10 has topic ids (KIP-516), v11 leaves cluster operations to DescribeCluster (KIP-700), v13
 * can tell a client to bootstrap again (KIP-1102).
 */
export const metadataApi = api({
  name: 'Metadata',
  key: 3,
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: nullableArray(
      '0+',
      {
        topicId: uuid('10+'),
        name: nullableString('0+', { nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  },
  response: {
    throttleTimeMs: int32('3+'),
    brokers: array('0+', {
      nodeId: int32('0+'),
      host: string('0+'),
      port: int32('0+'),
      rack: nullableString('1+', { default: null }),
    }),
    clusterId: nullableString('2+', { default: null }),
    controllerId: int32('1+', { default: -1 }),
    topics: array('0+', topic),
    clusterAuthorizedOperations: int32('8-10', { default: -0x8000_0000 }),
    errorCode: int16('13+'),
  },
});

export type MetadataRequest = RequestOf<typeof metadataApi>;
export type MetadataResponse = ResponseOf<typeof metadataApi>;
