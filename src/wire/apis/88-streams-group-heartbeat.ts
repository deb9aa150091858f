import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableString,
  nullableStruct,
  string,
  struct,
  uint16,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

const keyValue = { key: string('0+'), value: string('0+') };

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', keyValue),
};

const taskIds = { subtopologyId: string('0+'), partitions: array('0+', int32('0+')) };

const taskOffset = { subtopologyId: string('0+'), partition: int32('0+'), offset: int64('0+') };

const topicPartition = { topic: string('0+'), partitions: array('0+', int32('0+')) };

/** All a member of a Streams group says and hears: its topology, tasks and endpoints (KIP-1071). */
export const streamsGroupHeartbeatApi = api({
  name: 'StreamsGroupHeartbeat',
  key: 88,
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    endpointInformationEpoch: int32('0+'),
    instanceId: nullableString('0+', { default: null }),
    rackId: nullableString('0+', { default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: nullableStruct(
      '0+',
      {
        epoch: int32('0+'),
        subtopologies: array('0+', {
          subtopologyId: string('0+'),
          sourceTopics: array('0+', string('0+')),
          sourceTopicRegex: array('0+', string('0+')),
          stateChangelogTopics: array('0+', topicInfo),
          repartitionSinkTopics: array('0+', string('0+')),
          repartitionSourceTopics: array('0+', topicInfo),
          copartitionGroups: array('0+', {
            sourceTopics: array('0+', int16('0+')),
            sourceTopicRegex: array('0+', int16('0+')),
            repartitionSourceTopics: array('0+', int16('0+')),
          }),
        }),
      },
      { default: null },
    ),
    activeTasks: nullableArray('0+', taskIds, { default: null }),
    standbyTasks: nullableArray('0+', taskIds, { default: null }),
    warmupTasks: nullableArray('0+', taskIds, { default: null }),
    processId: nullableString('0+', { default: null }),
    userEndpoint: nullableStruct('0+', { host: string('0+'), port: uint16('0+') }, { default: null }),
    clientTags: nullableArray('0+', keyValue, { default: null }),
    taskOffsets: nullableArray('0+', taskOffset, { default: null }),
    taskEndOffsets: nullableArray('0+', taskOffset, { default: null }),
    shutdownApplication: bool('0+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    acceptableRecoveryLagLegacy: int32('0'),
    taskOffsetIntervalMs: int32('0+'),
    status: nullableArray('0+', { statusCode: int8('0+'), statusDetail: string('0+') }),
    activeTasks: nullableArray('0+', taskIds, { default: null }),
    standbyTasks: nullableArray('0+', taskIds, { default: null }),
    warmupTasks: nullableArray('0+', taskIds, { default: null }),
    endpointInformationEpoch: int32('0+'),
    partitionsByUserEndpoint: nullableArray(
      '0+',
      {
        userEndpoint: struct('0+', { host: string('0+'), port: uint16('0+') }),
        activePartitions: array('0+', topicPartition),
        standbyPartitions: array('0+', topicPartition),
      },
      { default: null },
    ),
  },
});

export type StreamsGroupHeartbeatRequest = RequestOf<typeof streamsGroupHeartbeatApi>;
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof streamsGroupHeartbeatApi>;
