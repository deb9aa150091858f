/** Requests of @platformatic/kafka beyond topics, records and groups: transactions, access rules, administration. */
import { toDashed, type OracleCase } from './oracle.ts';

const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw';
const BYTES = Buffer.from('some bytes');

const producer = { transactionalId: 'tx', producerId: 7, producerEpoch: 1 };
const producerArgs = ['tx', 7n, 1] as const;
const topics = [{ name: 't', partitions: [1, 2] }];
const rule = { principal: 'User:u', host: '*', operation: 3, permissionType: 2 };
const acl = { resourceType: 2, resourceName: 't', resourcePatternType: 4, ...rule };
const aclFilter = {
  resourceTypeFilter: 2,
  resourceNameFilter: 't',
  patternTypeFilter: 4,
  principalFilter: rule.principal,
  hostFilter: rule.host,
  operation: rule.operation,
  permissionType: rule.permissionType,
};

const transactions: OracleCase<unknown[]>[] = [
  {
    api: 'AddPartitionsToTxn',
    args: () => [[{ ...producer, producerId: 7n, verifyOnly: true, topics }]],
    body: () => ({
      transactions: [{ ...producer, verifyOnly: true, topics }],
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: 7,
      v3AndBelowProducerEpoch: 1,
      v3AndBelowTopics: topics,
    }),
  },
  {
    api: 'AddOffsetsToTxn',
    args: () => [...producerArgs, 'g'],
    body: () => ({ ...producer, groupId: 'g' }),
  },
  { api: 'EndTxn', args: () => [...producerArgs, true], body: () => ({ ...producer, committed: true }) },
  {
    api: 'TxnOffsetCommit',
    args: () => [
      'tx',
      'g',
      7n,
      1,
      4,
      'm',
      'i',
      [
        {
          name: 't',
          partitions: [
            {
              partitionIndex: 3,
              committedOffset: 2n ** 40n,
              committedLeaderEpoch: 6,
              committedMetadata: 'x',
            },
          ],
        },
      ],
    ],
    body: () => ({
      ...producer,
      groupId: 'g',
      generationIdOrMemberEpoch: 4,
      memberId: 'm',
      groupInstanceId: 'i',
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 3, committedOffset: 2 ** 40, committedLeaderEpoch: 6, committedMetadata: 'x' },
          ],
        },
      ],
    }),
  },
  { api: 'DescribeTransactions', args: () => [['a', 'b']], body: () => ({ transactionalIds: ['a', 'b'] }) },
  {
    api: 'DescribeProducers',
    args: () => [[{ name: 't', partitionIndexes: [1, 2] }]],
    body: () => ({ topics: [{ name: 't', partitionIndexes: [1, 2] }] }),
  },
];

const access: OracleCase<unknown[]>[] = [
  { api: 'DescribeAcls', args: () => [acl], body: () => aclFilter },
  { api: 'CreateAcls', args: () => [[acl]], body: () => ({ creations: [acl] }) },
  { api: 'DeleteAcls', args: () => [[acl]], body: () => ({ filters: [aclFilter] }) },
  {
    api: 'CreateDelegationToken',
    args: () => ['User', 'o', [{ principalType: 'User', principalName: 'r' }], 9n],
    body: () => ({
      ownerPrincipalType: 'User',
      ownerPrincipalName: 'o',
      renewers: [{ principalType: 'User', principalName: 'r' }],
      maxLifetimeMs: 9,
    }),
  },
  { api: 'RenewDelegationToken', args: () => [BYTES, 9n], body: () => ({ hmac: BYTES, renewPeriodMs: 9 }) },
  {
    api: 'ExpireDelegationToken',
    args: () => [BYTES, 9n],
    body: () => ({ hmac: BYTES, expiryTimePeriodMs: 9 }),
  },
  {
    api: 'DescribeDelegationToken',
    args: () => [[{ principalType: 'User', principalName: 'o' }]],
    body: () => ({ owners: [{ principalType: 'User', principalName: 'o' }] }),
  },
  {
    api: 'AlterUserScramCredentials',
    args: () => [
      [{ name: 'u', mechanism: 1 }],
      [{ name: 'v', mechanism: 2, iterations: 4096, salt: BYTES, saltedPassword: BYTES }],
    ],
    body: () => ({
      deletions: [{ name: 'u', mechanism: 1 }],
      upsertions: [{ name: 'v', mechanism: 2, iterations: 4096, salt: BYTES, saltedPassword: BYTES }],
    }),
  },
];

const configs = [{ name: 'a', configOperation: 2, value: 'b' }];
const quota = {
  entities: [{ entityType: 'user', entityName: 'u' }],
  ops: [{ key: 'k', value: 1.5, remove: false }],
};

const administration: OracleCase<unknown[]>[] = [
  {
    api: 'DeleteRecords',
    args: () => [[{ name: 't', partitions: [{ partitionIndex: 3, offset: 2n ** 40n }] }], 9],
    body: () => ({
      topics: [{ name: 't', partitions: [{ partitionIndex: 3, offset: 2 ** 40 }] }],
      timeoutMs: 9,
    }),
  },
  {
    api: 'AlterConfigs',
    args: () => [[{ resourceType: 2, resourceName: 't', configs }], true],
    body: () => ({
      resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'a', value: 'b' }] }],
      validateOnly: true,
    }),
  },
  {
    api: 'IncrementalAlterConfigs',
    args: () => [[{ resourceType: 2, resourceName: 't', configs }], true],
    body: () => ({ resources: [{ resourceType: 2, resourceName: 't', configs }], validateOnly: true }),
  },
  {
    api: 'AlterReplicaLogDirs',
    args: () => [[{ path: '/d', topics }]],
    body: () => ({ dirs: [{ path: '/d', topics }] }),
  },
  {
    api: 'DescribeLogDirs',
    args: () => [topics],
    body: () => ({ topics: [{ topic: 't', partitions: [1, 2] }] }),
  },
  {
    api: 'ListPartitionReassignments',
    args: () => [9, [{ name: 't', partitionIndexes: [1, 2] }]],
    body: () => ({ timeoutMs: 9, topics: [{ name: 't', partitionIndexes: [1, 2] }] }),
  },
  {
    api: 'OffsetDelete',
    args: () => ['g', [{ name: 't', partitions: [{ partitionIndex: 3 }] }]],
    body: () => ({ groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 3 }] }] }),
  },
  {
    api: 'DescribeClientQuotas',
    args: () => [[{ entityType: 'user', matchType: 0, match: 'u' }], true],
    body: () => ({ components: [{ entityType: 'user', matchType: 0, match: 'u' }], strict: true }),
  },
  {
    api: 'AlterClientQuotas',
    args: () => [[quota], true],
    body: () => ({ entries: [{ entity: quota.entities, ops: quota.ops }], validateOnly: true }),
  },
  {
    api: 'DescribeQuorum',
    args: () => [[{ topicName: 't', partitions: [{ partitionIndex: 3 }] }]],
    body: () => ({ topics: [{ topicName: 't', partitions: [{ partitionIndex: 3 }] }] }),
  },
  {
    api: 'AlterPartition',
    args: () => [
      1,
      5n,
      [
        {
          topicId: toDashed(TOPIC_ID),
          partitions: [
            {
              partitionIndex: 3,
              leaderEpoch: 4,
              newIsr: [1],
              newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: 6n }],
              leaderRecoveryState: 1,
              partitionEpoch: 2,
            },
          ],
        },
      ],
    ],
    body: () => ({
      brokerId: 1,
      brokerEpoch: 5,
      topics: [
        {
          topicId: TOPIC_ID,
          partitions: [
            {
              partitionIndex: 3,
              leaderEpoch: 4,
              newIsr: [1],
              newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: 6 }],
              leaderRecoveryState: 1,
              partitionEpoch: 2,
            },
          ],
        },
      ],
    }),
  },
  { api: 'UnregisterBroker', args: () => [3], body: () => ({ brokerId: 3 }) },
  {
    api: 'ConsumerGroupHeartbeat',
    args: () => [
      'g',
      'm',
      3,
      'i',
      'r',
      9,
      ['t'],
      't.*',
      'uniform',
      [{ topicId: toDashed(TOPIC_ID), partitions: [1, 2] }],
    ],
    body: () => ({
      groupId: 'g',
      memberId: 'm',
      memberEpoch: 3,
      instanceId: 'i',
      rackId: 'r',
      rebalanceTimeoutMs: 9,
      subscribedTopicNames: ['t'],
      subscribedTopicRegex: 't.*',
      serverAssignor: 'uniform',
      topicPartitions: [{ topicId: TOPIC_ID, partitions: [1, 2] }],
    }),
  },
  {
    api: 'ConsumerGroupDescribe',
    args: () => [['g', 'h'], true],
    body: () => ({ groupIds: ['g', 'h'], includeAuthorizedOperations: true }),
  },
  {
    api: 'GetTelemetrySubscriptions',
    args: () => [toDashed(TOPIC_ID)],
    body: () => ({ clientInstanceId: TOPIC_ID }),
  },
  {
    api: 'PushTelemetry',
    args: () => [toDashed(TOPIC_ID), 4, true, 1, BYTES],
    body: () => ({
      clientInstanceId: TOPIC_ID,
      subscriptionId: 4,
      terminating: true,
      compressionType: 1,
      metrics: BYTES,
    }),
  },
  {
    api: 'DescribeTopicPartitions',
    args: () => [[{ name: 't' }], 9, { topicName: 't', partitionIndex: 3 }],
    body: () => ({
      topics: [{ name: 't' }],
      responsePartitionLimit: 9,
      cursor: { topicName: 't', partitionIndex: 3 },
    }),
  },
];

export const platformaticMoreCases = [...transactions, ...access, ...administration];
