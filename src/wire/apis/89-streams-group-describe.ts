import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
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

const taskOffset = { subtopologyId: string('0+'), partition: int32('0+'), offset: int64('0+') };

const taskIds = { subtopologyId: string('0+'), partitions: array('0+', int32('0+')) };

const assignment = {
  activeTasks: array('0+', taskIds),
  standbyTasks: array('0+', taskIds),
  warmupTasks: array('0+', taskIds),
};

/** Members, topologies and tasks of Streams groups (KIP-1071). */
export const streamsGroupDescribeApi = api({
  name: 'StreamsGroupDescribe',
  key: 89,
  versions: '0',
  flexible: '0+',
  request: { groupIds: array('0+', string('0+')), includeAuthorizedOperations: bool('0+') },
  response: {
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
      groupId: string('0+'),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      topology: nullableStruct(
        '0+',
        {
          epoch: int32('0+'),
          subtopologies: nullableArray(
            '0+',
            {
              subtopologyId: string('0+'),
              sourceTopics: array('0+', string('0+')),
              repartitionSinkTopics: array('0+', string('0+')),
              stateChangelogTopics: array('0+', topicInfo),
              repartitionSourceTopics: array('0+', topicInfo),
            },
            { default: null },
          ),
        },
        { default: null },
      ),
      members: array('0+', {
        memberId: string('0+'),
        memberEpoch: int32('0+'),
        instanceId: nullableString('0+', { default: null }),
        rackId: nullableString('0+', { default: null }),
        clientId: string('0+'),
        clientHost: string('0+'),
        topologyEpoch: int32('0+'),
        processId: string('0+'),
        userEndpoint: nullableStruct('0+', { host: string('0+'), port: uint16('0+') }, { default: null }),
        clientTags: array('0+', keyValue),
        taskOffsets: array('0+', taskOffset),
        taskEndOffsets: array('0+', taskOffset),
        assignment: struct('0+', assignment),
        targetAssignment: struct('0+', assignment),
        isClassic: bool('0+'),
      }),
      authorizedOperations: int32('0+', { default: -0x8000_0000 }),
    }),
  },
});

export type StreamsGroupDescribeRequest = RequestOf<typeof streamsGroupDescribeApi>;
export type StreamsGroupDescribeResponse = ResponseOf<typeof streamsGroupDescribeApi>;
