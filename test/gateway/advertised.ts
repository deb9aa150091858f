import { TextEncoder } from 'node:util';
import { ErrorCode } from '../../src/model/errors.ts';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { deleteRecordsApi } from '../../src/wire/apis/21-delete-records.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { offsetForLeaderEpochApi } from '../../src/wire/apis/23-offset-for-leader-epoch.ts';
import { describeConfigsApi } from '../../src/wire/apis/32-describe-configs.ts';
import { alterConfigsApi } from '../../src/wire/apis/33-alter-configs.ts';
import { alterReplicaLogDirsApi } from '../../src/wire/apis/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from '../../src/wire/apis/35-describe-log-dirs.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { createPartitionsApi } from '../../src/wire/apis/37-create-partitions.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { electLeadersApi } from '../../src/wire/apis/43-elect-leaders.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { alterPartitionReassignmentsApi } from '../../src/wire/apis/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../../src/wire/apis/46-list-partition-reassignments.ts';
import { offsetDeleteApi } from '../../src/wire/apis/47-offset-delete.ts';
import { describeQuorumApi } from '../../src/wire/apis/55-describe-quorum.ts';
import { updateFeaturesApi } from '../../src/wire/apis/57-update-features.ts';
import { describeClusterApi } from '../../src/wire/apis/60-describe-cluster.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../src/wire/apis/69-consumer-group-describe.ts';
import { listConfigResourcesApi } from '../../src/wire/apis/74-list-config-resources.ts';
import { describeTopicPartitionsApi } from '../../src/wire/apis/75-describe-topic-partitions.ts';
import { type Case, type Given, of } from './advertised-case.ts';
import { ACL_CASES, QUOTA_CASES, TELEMETRY_CASES, USER_CASES } from './advertised-security.ts';
import { SHARE_CASES } from './advertised-shares.ts';
import { TRANSACTION_CASES } from './advertised-transactions.ts';
import { batch, fetchBody, produceBody } from './harness.ts';

const METADATA = new TextEncoder().encode('metadata');
const MEMBER = { generationId: 1, memberId: 'nobody' };

function commit({ topic, unique }: Given) {
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
  return { groupId: unique, topics: [{ name: topic.name, topicId: topic.id, partitions }] };
}

function offsetFetch({ topic, unique, version }: Given) {
  const named = { name: topic.name, topicId: topic.id, partitionIndexes: [0] };
  return version < 8
    ? { groupId: unique, topics: [named] }
    : { groups: [{ groupId: unique, topics: [named] }] };
}

function join({ unique }: Given) {
  const times = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 };
  const protocols = [{ name: 'range', metadata: METADATA }];
  return { groupId: unique, memberId: '', protocolType: 'consumer', ...times, protocols };
}

function newTopic({ unique }: Given) {
  return { name: unique, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
}

export type { Given } from './advertised-case.ts';

const PLAIN_CASES: readonly Case[] = [
  of(
    produceApi,
    ({ topic }) => produceBody(topic, batch(['again'])),
    ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode,
  ),
  of(
    fetchApi,
    ({ topic }) => fetchBody([{ topic }]),
    ({ responses }) => {
      const fetched = responses[0]?.partitions[0];
      return [fetched?.errorCode, (fetched?.records?.length ?? 0) > 0];
    },
    [ErrorCode.NONE, true],
  ),
  of(
    listOffsetsApi,
    ({ topic }) => ({
      replicaId: -1,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    }),
    ({ topics }) => [topics[0]?.partitions[0]?.errorCode, topics[0]?.partitions[0]?.offset],
    [ErrorCode.NONE, 0],
  ),
  of(
    metadataApi,
    ({ topic }) => ({ topics: [{ name: topic.name }] }),
    ({ topics, brokers }) => [topics[0]?.errorCode, topics[0]?.partitions.length, brokers.length],
    [ErrorCode.NONE, 1, 1],
  ),
  of(offsetCommitApi, commit, ({ topics }) => topics[0]?.partitions[0]?.errorCode),
  of(
    offsetFetchApi,
    offsetFetch,
    ({ topics, groups }) => {
      const found = (topics[0] ?? groups[0]?.topics[0])?.partitions[0];
      return [found?.errorCode, found?.committedOffset];
    },
    [ErrorCode.NONE, -1],
  ),
  of(
    findCoordinatorApi,
    ({ unique, version }) => (version < 4 ? { key: unique } : { coordinatorKeys: [unique] }),
    ({ errorCode, nodeId, coordinators }) => [
      coordinators[0]?.errorCode ?? errorCode,
      coordinators[0]?.nodeId ?? nodeId,
    ],
    [ErrorCode.NONE, 1],
  ),
  of(
    joinGroupApi,
    join,
    ({ errorCode, memberId }) => [errorCode, memberId !== ''],
    ({ version }: Given) => [version < 4 ? ErrorCode.NONE : ErrorCode.MEMBER_ID_REQUIRED, true],
  ),
  of(
    heartbeatApi,
    ({ unique }) => ({ groupId: unique, ...MEMBER }),
    ({ errorCode }) => errorCode,
    ErrorCode.UNKNOWN_MEMBER_ID,
  ),
  of(
    leaveGroupApi,
    ({ unique }) => ({ groupId: unique, memberId: 'nobody', members: [{ memberId: 'nobody' }] }),
    ({ errorCode, members }) => members[0]?.errorCode ?? errorCode,
    ErrorCode.UNKNOWN_MEMBER_ID,
  ),
  of(
    syncGroupApi,
    ({ unique }) => ({
      groupId: unique,
      ...MEMBER,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }),
    ({ errorCode }) => errorCode,
    ErrorCode.UNKNOWN_MEMBER_ID,
  ),
  of(
    describeGroupsApi,
    ({ unique }) => ({ groups: [unique] }),
    ({ groups }) => [groups[0]?.errorCode, groups[0]?.groupState],
    ({ version }: Given) => [version < 6 ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND, 'Dead'],
  ),
  of(
    listGroupsApi,
    () => ({}),
    ({ errorCode }) => errorCode,
  ),
  of(
    saslHandshakeApi,
    () => ({ mechanism: 'PLAIN' }),
    ({ errorCode }) => errorCode,
    ErrorCode.ILLEGAL_SASL_STATE,
  ),
  of(
    apiVersionsApi,
    () => ({ clientSoftwareName: 'raw', clientSoftwareVersion: '1' }),
    ({ errorCode, apiKeys }) => [errorCode, apiKeys.length > 20],
    [ErrorCode.NONE, true],
  ),
  of(
    createTopicsApi,
    (given) => ({ topics: [newTopic(given)] }),
    ({ topics }) => topics[0]?.errorCode,
  ),
  of(
    deleteTopicsApi,
    ({ unique, version }) => ({
      timeoutMs: 1_000,
      ...(version < 6 ? { topicNames: [unique] } : { topics: [{ name: unique, topicId: ZERO_UUID }] }),
    }),
    ({ responses }) => responses[0]?.errorCode,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ),
  of(
    deleteRecordsApi,
    ({ topic }) => ({
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs: 1_000,
    }),
    ({ topics }) => topics[0]?.partitions[0],
    { partitionIndex: 0, lowWatermark: 0, errorCode: ErrorCode.NONE },
  ),
  of(
    initProducerIdApi,
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
    ({ errorCode, producerId, producerEpoch }) => [errorCode, producerId >= 0, producerEpoch],
    [ErrorCode.NONE, true, 0],
  ),
  of(
    offsetForLeaderEpochApi,
    ({ topic }) => ({ topics: [{ topic: topic.name, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
    ({ topics }) => topics[0]?.partitions[0]?.errorCode,
  ),
  ...ACL_CASES,
  ...QUOTA_CASES,
  of(
    describeConfigsApi,
    ({ topic }) => ({
      resources: [{ resourceType: 2, resourceName: topic.name, configurationKeys: ['retention.ms'] }],
    }),
    ({ results }) => [results[0]?.errorCode, results[0]?.configs.map(({ name }) => name)],
    [ErrorCode.NONE, ['retention.ms']],
  ),
  of(
    alterConfigsApi,
    ({ topic }) => ({
      resources: [{ resourceType: 2, resourceName: topic.name, configs: [] }],
      validateOnly: true,
    }),
    ({ responses }) => responses[0]?.errorCode,
  ),
  of(
    alterReplicaLogDirsApi,
    ({ topic }) => ({ dirs: [{ path: '/elsewhere', topics: [{ name: topic.name, partitions: [0] }] }] }),
    ({ results }) => results[0]?.partitions[0]?.errorCode,
    ErrorCode.LOG_DIR_NOT_FOUND,
  ),
  of(
    describeLogDirsApi,
    ({ topic }) => ({ topics: [{ topic: topic.name, partitions: [0] }] }),
    ({ results }) => {
      const [found] = results;
      return [found?.errorCode, found?.logDir, (found?.topics[0]?.partitions[0]?.partitionSize ?? 0) > 0];
    },
    [ErrorCode.NONE, 'memory', true],
  ),
  of(
    saslAuthenticateApi,
    () => ({ authBytes: new Uint8Array(3) }),
    ({ errorCode }) => errorCode,
    ErrorCode.ILLEGAL_SASL_STATE,
  ),
  of(
    createPartitionsApi,
    ({ unique }) => ({
      topics: [{ name: unique, count: 3, assignments: null }],
      timeoutMs: 1_000,
      validateOnly: false,
    }),
    ({ results }) => results[0]?.errorCode,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ),
  of(
    deleteGroupsApi,
    ({ unique }) => ({ groupsNames: [unique] }),
    ({ results }) => results[0]?.errorCode,
    ErrorCode.GROUP_ID_NOT_FOUND,
  ),
  of(
    electLeadersApi,
    ({ topic, version }) => ({
      ...(version >= 1 && { electionType: 0 }),
      topicPartitions: [{ topic: topic.name, partitions: [0] }],
    }),
    ({ replicaElectionResults }) => replicaElectionResults[0]?.partitionResult[0]?.errorCode,
    ErrorCode.ELECTION_NOT_NEEDED,
  ),
  of(
    incrementalAlterConfigsApi,
    ({ topic }) => ({
      resources: [
        {
          resourceType: 2,
          resourceName: topic.name,
          configs: [{ name: 'retention.ms', configOperation: 1, value: null }],
        },
      ],
      validateOnly: false,
    }),
    ({ responses }) => responses[0]?.errorCode,
  ),
  of(
    alterPartitionReassignmentsApi,
    ({ topic }) => ({ topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, replicas: null }] }] }),
    ({ responses }) => responses[0]?.partitions[0]?.errorCode,
    ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
  ),
  of(
    listPartitionReassignmentsApi,
    () => ({ topics: null }),
    ({ errorCode, topics }) => [errorCode, topics],
    [ErrorCode.NONE, []],
  ),
  of(
    offsetDeleteApi,
    ({ topic, unique }) => ({
      groupId: unique,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }],
    }),
    ({ errorCode }) => errorCode,
    ErrorCode.GROUP_ID_NOT_FOUND,
  ),
  ...USER_CASES,
  of(
    describeQuorumApi,
    () => ({ topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }),
    ({ errorCode, topics }) => [errorCode, topics[0]?.partitions[0]?.leaderId],
    [ErrorCode.NONE, 1],
  ),
  of(
    updateFeaturesApi,
    ({ version }) => ({
      featureUpdates: [
        { feature: 'none', maxVersionLevel: 1, ...(version === 0 && { allowDowngrade: false }) },
      ],
    }),
    ({ errorCode }) => errorCode,
    ErrorCode.INVALID_UPDATE_VERSION,
  ),
  of(
    describeClusterApi,
    () => ({ includeClusterAuthorizedOperations: false }),
    ({ errorCode, brokers, controllerId }) => [errorCode, brokers.length, controllerId],
    [ErrorCode.NONE, 1, 1],
  ),
  of(
    consumerGroupHeartbeatApi,
    ({ topic, unique }) => ({
      groupId: unique,
      memberId: 'one',
      memberEpoch: 0,
      rebalanceTimeoutMs: 10_000,
      subscribedTopicNames: [topic.name],
      topicPartitions: [],
    }),
    ({ errorCode, memberEpoch, assignment }) => [errorCode, memberEpoch, assignment?.topicPartitions],
    ({ topic }: Given) => [ErrorCode.NONE, 1, [{ topicId: topic.id, partitions: [0] }]],
  ),
  of(
    consumerGroupDescribeApi,
    ({ unique }) => ({ groupIds: [unique], includeAuthorizedOperations: false }),
    ({ groups }) => groups[0]?.errorCode,
    ErrorCode.GROUP_ID_NOT_FOUND,
  ),
  ...TELEMETRY_CASES,
  of(
    listConfigResourcesApi,
    ({ version }) => (version >= 1 ? { resourceTypes: [4] } : {}),
    ({ errorCode, configResources }) => [errorCode, configResources.map(({ resourceName }) => resourceName)],
    ({ version }: Given) => [ErrorCode.NONE, version >= 1 ? ['1'] : []],
  ),
  of(
    describeTopicPartitionsApi,
    ({ topic }) => ({ topics: [{ name: topic.name }] }),
    ({ topics, nextCursor }) => [topics[0]?.errorCode, topics[0]?.partitions.length, nextCursor],
    [ErrorCode.NONE, 1, null],
  ),
];

/** One smallest valid request of every API, for every version of it; by key. */
export const CASES = [...PLAIN_CASES, ...TRANSACTION_CASES, ...SHARE_CASES].sort(
  (a, b) => a.api.key - b.api.key,
);
