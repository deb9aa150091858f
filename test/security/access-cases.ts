import { expect } from 'vitest';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { AclOperation as Op } from '../../src/security/acl.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { deleteRecordsApi } from '../../src/wire/apis/21-delete-records.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { offsetForLeaderEpochApi } from '../../src/wire/apis/23-offset-for-leader-epoch.ts';
import { describeAclsApi } from '../../src/wire/apis/29-describe-acls.ts';
import { createAclsApi } from '../../src/wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../src/wire/apis/31-delete-acls.ts';
import { describeConfigsApi } from '../../src/wire/apis/32-describe-configs.ts';
import { createPartitionsApi } from '../../src/wire/apis/37-create-partitions.ts';
import { describeClientQuotasApi } from '../../src/wire/apis/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../../src/wire/apis/49-alter-client-quotas.ts';
import { describeUserScramCredentialsApi } from '../../src/wire/apis/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../../src/wire/apis/51-alter-user-scram-credentials.ts';
import { batch, fetchBody, produceBody } from '../gateway/harness.ts';
import { alterConfigsApi } from '../../src/wire/apis/33-alter-configs.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { listConfigResourcesApi } from '../../src/wire/apis/74-list-config-resources.ts';
import { describeTopicPartitionsApi } from '../../src/wire/apis/75-describe-topic-partitions.ts';
import type { RawClient } from '../gateway/raw-client.ts';
import { alterReplicaLogDirsApi } from '../../src/wire/apis/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from '../../src/wire/apis/35-describe-log-dirs.ts';
import { electLeadersApi } from '../../src/wire/apis/43-elect-leaders.ts';
import { alterPartitionReassignmentsApi } from '../../src/wire/apis/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../../src/wire/apis/46-list-partition-reassignments.ts';
import { describeQuorumApi } from '../../src/wire/apis/55-describe-quorum.ts';
import { updateFeaturesApi } from '../../src/wire/apis/57-update-features.ts';
import { ANY_ACL, type Case, onCluster, onGroup, onTopic } from './case.ts';
import { groupCases } from './group-cases.ts';
import { producerCases } from './producer-cases.ts';

interface World {
  client: () => RawClient;
  topic: { name: string; id: string };
}

/** What each API is asked for, by somebody. */
export function casesFor({ client, topic }: World): Case[] {
  return [
    ...topicCases({ client, topic }),
    ...groupCases(client),
    ...producerCases(client, topic),
    ...clusterCases({ client, topic }),
  ];
}

const topicCases = ({ client, topic }: World): Case[] => [
  {
    api: 'Produce',
    ask: async (name) => {
      const { responses } = await client().send(
        produceApi,
        12,
        produceBody({ name, id: topic.id }, batch(['x'])),
      );
      return responses[0]?.partitionResponses[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.WRITE),
    hides: true,
  },
  {
    api: 'Produce by id',
    ask: async () => {
      const { responses } = await client().send(produceApi, 13, produceBody(topic, batch(['x'])));
      return responses[0]?.partitionResponses[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.WRITE),
  },
  {
    api: 'Fetch',
    ask: async (name) => {
      const { responses } = await client().send(fetchApi, 12, fetchBody([{ topic: { name, id: topic.id } }]));
      const got = responses[0]?.partitions[0];
      if (got?.errorCode !== 0) expect(got?.records?.length ?? 0).toBe(0);
      return got?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.READ),
    hides: true,
  },
  {
    api: 'Fetch by id',
    ask: async () => {
      const { responses } = await client().send(fetchApi, 17, fetchBody([{ topic }]));
      return responses[0]?.partitions[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.READ),
  },
  {
    api: 'ListOffsets',
    ask: async (name) => {
      const partitions = [{ partitionIndex: 0, timestamp: -1 }];
      const { topics } = await client().send(listOffsetsApi, 7, {
        replicaId: -1,
        topics: [{ name, partitions }],
      });
      return topics[0]?.partitions[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE),
    hides: true,
  },
  {
    api: 'Metadata',
    ask: async (name) => {
      const { topics } = await client().send(metadataApi, 12, {
        topics: [{ name }],
        allowAutoTopicCreation: false,
      });
      expect(topics).toHaveLength(1);
      if (topics[0]?.errorCode !== 0) expect(topics[0]).toMatchObject({ topicId: ZERO_UUID, partitions: [] });
      return topics[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE),
    hides: true,
  },
  {
    api: 'Metadata by id',
    ask: async () => {
      const wanted = { topics: [{ topicId: topic.id, name: null }], allowAutoTopicCreation: false };
      const { topics } = await client().send(metadataApi, 12, wanted);
      if (topics[0]?.errorCode !== 0) expect(topics[0]).toMatchObject({ name: null, partitions: [] });
      return topics[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE),
  },
  {
    api: 'OffsetForLeaderEpoch',
    ask: async (name) => {
      const partitions = [{ partition: 0, leaderEpoch: 0 }];
      const { topics } = await client().send(offsetForLeaderEpochApi, 4, {
        topics: [{ topic: name, partitions }],
      });
      return topics[0]?.partitions[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE),
    hides: true,
  },
  {
    api: 'CreateTopics',
    ask: async () => {
      const one = { name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
      const { topics } = await client().send(createTopicsApi, 7, {
        topics: [one],
        validateOnly: true,
        timeoutMs: 5_000,
      });
      return topics[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.CREATE, 'made'),
  },
  {
    api: 'DeleteTopics',
    ask: async (name) => {
      const { responses } = await client().send(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 5_000 });
      return responses[0]?.errorCode === 3 ? 0 : responses[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DELETE, 'gone'),
    hides: true,
  },
  {
    api: 'DeleteRecords',
    ask: async (name) => {
      const partitions = [{ partitionIndex: 0, offset: 0 }];
      const { topics } = await client().send(deleteRecordsApi, 2, {
        topics: [{ name, partitions }],
        timeoutMs: 5_000,
      });
      return topics[0]?.partitions[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DELETE),
    hides: true,
  },
  {
    api: 'CreatePartitions',
    ask: async (name) => {
      const wanted = {
        topics: [{ name, count: 2, assignments: null }],
        validateOnly: true,
        timeoutMs: 5_000,
      };
      return (await client().send(createPartitionsApi, 3, wanted)).results[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.ALTER),
    hides: true,
  },
  {
    api: 'DescribeConfigs of a topic',
    ask: async (resourceName) => {
      const resources = [{ resourceType: 2, resourceName, configurationKeys: null }];
      return (await client().send(describeConfigsApi, 4, { resources })).results[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE_CONFIGS),
    hides: true,
  },
  {
    api: 'IncrementalAlterConfigs of a topic',
    ask: async (resourceName) => {
      const configs = [{ name: 'retention.ms', configOperation: 0, value: '1000' }];
      const wanted = { resources: [{ resourceType: 2, resourceName, configs }], validateOnly: true };
      return (await client().send(incrementalAlterConfigsApi, 1, wanted)).responses[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.ALTER_CONFIGS),
    hides: true,
  },
  {
    api: 'AlterConfigs of a group',
    ask: async () => {
      const wanted = {
        resources: [{ resourceType: 32, resourceName: 'team', configs: [] }],
        validateOnly: true,
      };
      return (await client().send(alterConfigsApi, 2, wanted)).responses[0]?.errorCode;
    },
    denied: 30,
    needs: onGroup(Op.ALTER_CONFIGS),
  },
  {
    api: 'ListConfigResources',
    ask: async () => (await client().send(listConfigResourcesApi, 1, {})).errorCode,
    denied: 31,
    needs: onCluster(Op.DESCRIBE_CONFIGS),
  },
  {
    api: 'DescribeTopicPartitions',
    ask: async (name) => {
      const { topics } = await client().send(describeTopicPartitionsApi, 0, { topics: [{ name }] });
      return topics[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.DESCRIBE),
    hides: true,
  },
  {
    api: 'DescribeConfigs of a broker',
    ask: async () => {
      const resources = [{ resourceType: 4, resourceName: '1', configurationKeys: null }];
      return (await client().send(describeConfigsApi, 4, { resources })).results[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.DESCRIBE_CONFIGS),
  },
  {
    api: 'InitProducerId',
    ask: async () =>
      (await client().send(initProducerIdApi, 4, { transactionalId: null, transactionTimeoutMs: 0 }))
        .errorCode,
    denied: 31,
    needs: onTopic(Op.WRITE, 'any at all'),
  },
];

const clusterCases = ({ client, topic }: World): Case[] => [
  {
    api: 'DescribeAcls',
    ask: async () => (await client().send(describeAclsApi, 3, ANY_ACL)).errorCode,
    denied: 31,
    needs: onCluster(Op.DESCRIBE),
  },
  ...(
    [
      [describeLogDirsApi, 4, { topics: null }, Op.DESCRIBE],
      [describeQuorumApi, 2, { topics: [] }, Op.DESCRIBE],
      [listPartitionReassignmentsApi, 0, { topics: null, timeoutMs: 0 }, Op.DESCRIBE],
      [electLeadersApi, 2, { electionType: 0, topicPartitions: null, timeoutMs: 0 }, Op.ALTER],
      [alterPartitionReassignmentsApi, 1, { topics: [], timeoutMs: 0 }, Op.ALTER],
      [updateFeaturesApi, 1, { featureUpdates: [], timeoutMs: 0 }, Op.ALTER],
    ] as const
  ).map(([api, version, body, operation]): Case => ({
    api: api.name,
    ask: async () => {
      const answer = await client().send(api as typeof describeLogDirsApi, version, body as { topics: null });
      return answer.errorCode === 31 ? 31 : 0;
    },
    denied: 31,
    needs: onCluster(operation),
  })),
  {
    api: 'AlterReplicaLogDirs',
    ask: async () => {
      const topics = [{ name: topic.name, partitions: [0] }];
      const { results } = await client().send(alterReplicaLogDirsApi, 2, { dirs: [{ path: '/', topics }] });
      const errorCode = results[0]?.partitions[0]?.errorCode;
      return errorCode === 57 ? 0 : errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER),
  },
  {
    api: 'CreateAcls',
    ask: async () => {
      const creation = { ...onTopic(Op.READ, 'own'), resourcePatternType: 3, host: '*', permissionType: 3 };
      return (await client().send(createAclsApi, 3, { creations: [creation] })).results[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER),
  },
  {
    api: 'DeleteAcls',
    ask: async () => {
      const filters = [{ ...ANY_ACL, resourceNameFilter: 'no such' }];
      return (await client().send(deleteAclsApi, 3, { filters })).filterResults[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER),
  },
  {
    api: 'DescribeClientQuotas',
    ask: async () => {
      const { errorCode } = await client().send(describeClientQuotasApi, 1, {
        components: [],
        strict: false,
      });
      return errorCode;
    },
    denied: 31,
    needs: onCluster(Op.DESCRIBE_CONFIGS),
  },
  {
    api: 'AlterClientQuotas',
    ask: async () => {
      const entity = [{ entityType: 'user', entityName: 'nobody' }];
      const ops = [{ key: 'producer_byte_rate', value: 0, remove: true }];
      const body = { entries: [{ entity, ops }], validateOnly: false };
      const { entries } = await client().send(alterClientQuotasApi, 1, body);
      return entries[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER_CONFIGS),
  },
  {
    api: 'DescribeUserScramCredentials',
    ask: async () => (await client().send(describeUserScramCredentialsApi, 0, { users: null })).errorCode,
    denied: 31,
    needs: onCluster(Op.DESCRIBE),
  },
  {
    api: 'AlterUserScramCredentials',
    ask: async () => {
      const deletions = [{ name: 'nobody', mechanism: 1 }];
      const { results } = await client().send(alterUserScramCredentialsApi, 0, { deletions, upsertions: [] });
      return results[0]?.errorCode === 91 ? 0 : results[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER),
  },
];
