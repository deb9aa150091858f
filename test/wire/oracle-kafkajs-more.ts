/** Requests of kafkajs beyond topics, records and groups: transactions, access rules, other administration. */
import type { OracleCase } from './oracle.ts';

const producer = { transactionalId: 'tx', producerId: 7, producerEpoch: 1 };
const rule = { principal: 'User:u', host: '*', operation: 3, permissionType: 2 };

export const kafkajsMoreCases: OracleCase<object>[] = [
  {
    api: 'DeleteRecords',
    args: () => ({ topics: [{ topic: 't', partitions: [{ partition: 3, offset: 2 ** 40 }] }], timeout: 9 }),
    body: () => ({
      topics: [{ name: 't', partitions: [{ partitionIndex: 3, offset: 2 ** 40 }] }],
      timeoutMs: 9,
    }),
  },
  {
    api: 'AddPartitionsToTxn',
    args: () => ({ ...producer, topics: [{ topic: 't', partitions: [1, 2] }] }),
    body: () => ({
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: 7,
      v3AndBelowProducerEpoch: 1,
      v3AndBelowTopics: [{ name: 't', partitions: [1, 2] }],
    }),
  },
  {
    api: 'AddOffsetsToTxn',
    args: () => ({ ...producer, groupId: 'g' }),
    body: () => ({ ...producer, groupId: 'g' }),
  },
  {
    api: 'EndTxn',
    args: () => ({ ...producer, transactionResult: true }),
    body: () => ({ ...producer, committed: true }),
  },
  {
    api: 'TxnOffsetCommit',
    args: () => ({
      ...producer,
      groupId: 'g',
      topics: [{ topic: 't', partitions: [{ partition: 3, offset: 2 ** 40, metadata: 'x' }] }],
    }),
    body: () => ({
      ...producer,
      groupId: 'g',
      topics: [
        { name: 't', partitions: [{ partitionIndex: 3, committedOffset: 2 ** 40, committedMetadata: 'x' }] },
      ],
    }),
  },
  {
    api: 'DescribeAcls',
    args: () => ({ resourceType: 2, resourceName: 't', resourcePatternType: 4, ...rule }),
    body: () => ({
      resourceTypeFilter: 2,
      resourceNameFilter: 't',
      patternTypeFilter: 4,
      principalFilter: rule.principal,
      hostFilter: rule.host,
      operation: rule.operation,
      permissionType: rule.permissionType,
    }),
  },
  {
    api: 'CreateAcls',
    args: () => ({ creations: [{ resourceType: 2, resourceName: 't', resourcePatternType: 4, ...rule }] }),
    body: () => ({ creations: [{ resourceType: 2, resourceName: 't', resourcePatternType: 4, ...rule }] }),
  },
  {
    api: 'DeleteAcls',
    args: () => ({ filters: [{ resourceType: 2, resourceName: 't', resourcePatternType: 4, ...rule }] }),
    body: () => ({
      filters: [
        {
          resourceTypeFilter: 2,
          resourceNameFilter: 't',
          patternTypeFilter: 4,
          principalFilter: rule.principal,
          hostFilter: rule.host,
          operation: rule.operation,
          permissionType: rule.permissionType,
        },
      ],
    }),
  },
  {
    api: 'AlterConfigs',
    args: () => ({
      resources: [{ type: 2, name: 't', configEntries: [{ name: 'a', value: 'b' }] }],
      validateOnly: true,
    }),
    body: () => ({
      resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'a', value: 'b' }] }],
      validateOnly: true,
    }),
  },
  {
    api: 'AlterPartitionReassignments',
    unread: () => 'errorMessage',
    args: () => ({
      timeout: 9,
      topics: [{ topic: 't', partitionAssignment: [{ partition: 3, replicas: [1, 2] }] }],
    }),
    body: () => ({
      timeoutMs: 9,
      topics: [{ name: 't', partitions: [{ partitionIndex: 3, replicas: [1, 2] }] }],
    }),
  },
  {
    api: 'ListPartitionReassignments',
    unread: () => 'errorMessage',
    args: () => ({ timeout: 9, topics: [{ topic: 't', partitions: [1, 2] }] }),
    body: () => ({ timeoutMs: 9, topics: [{ name: 't', partitionIndexes: [1, 2] }] }),
  },
];
