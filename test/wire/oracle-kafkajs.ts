/** What kafkajs 2.2.4 writes and reads: its encoders and decoders themselves, below its public API. */
import { createRequire } from 'node:module';
import { leavesOf, type Header, type OracleCase } from './oracle.ts';

interface Definition {
  versions: string[];
  protocol(options: { version: number }): (args: object) => {
    request: { encode(): Promise<{ buffer: Buffer }> };
    response: { decode(body: Buffer): Promise<unknown> };
  };
}

const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests/index.js') as {
  requests: Record<string, Definition>;
};
const frameRequest = require('kafkajs/src/protocol/request.js') as (
  options: Header & { request: object },
) => Promise<{ buffer: Buffer }>;

/** One topic and partition, as kafkajs names them. */
const at = <T extends object>(partition: T) => [
  { topic: 'orders-ü', partitions: [{ partition: 3, ...partition }] },
];
const BYTES = Buffer.from('some metadata');
const messages = [
  { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_700_000_000_000, headers: {} },
];

/** `args` go to kafkajs, and `body` is the same request in our words. */
export const kafkajsCases: OracleCase<object>[] = [
  {
    api: 'Produce',
    args: () => ({
      acks: -1,
      timeout: 30_000,
      transactionalId: 'tx',
      producerId: 7,
      producerEpoch: 1,
      topicData: at({ messages, firstSequence: 0 }),
    }),
    body: (_version, records) => ({
      transactionalId: 'tx',
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: 'orders-ü', partitionData: [{ index: 3, records }] }],
    }),
  },
  {
    api: 'Fetch',
    args: () => ({
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      isolationLevel: 1,
      sessionId: 9,
      sessionEpoch: 2,
      rackId: 'r1',
      forgottenTopics: [{ topic: 'old', partitions: [1, 2] }],
      topics: at({ currentLeaderEpoch: 4, fetchOffset: 2 ** 40 + 1, logStartOffset: 5, maxBytes: 65_536 }),
    }),
    body: (version) => ({
      replicaId: -1,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      isolationLevel: 1,
      // kafkajs keeps its own defaults where its table of versions does not hand these on.
      ...(version >= 7 && {
        sessionId: 9,
        sessionEpoch: 2,
        forgottenTopicsData: [{ topic: 'old', partitions: [1, 2] }],
      }),
      topics: [
        {
          topic: 'orders-ü',
          partitions: [
            {
              partition: 3,
              currentLeaderEpoch: 4,
              fetchOffset: 2 ** 40 + 1,
              logStartOffset: 5,
              partitionMaxBytes: 65_536,
            },
          ],
        },
      ],
      rackId: 'r1',
    }),
  },
  {
    api: 'ListOffsets',
    args: () => ({ replicaId: -1, isolationLevel: 1, topics: at({ timestamp: -2, maxNumOffsets: 5 }) }),
    body: () => ({
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: 'orders-ü', partitions: [{ partitionIndex: 3, timestamp: -2, maxNumOffsets: 5 }] }],
    }),
  },
  {
    api: 'Metadata',
    args: () => ({ topics: ['a', 'b'], allowAutoTopicCreation: false }),
    body: () => ({ topics: [{ name: 'a' }, { name: 'b' }], allowAutoTopicCreation: false }),
  },
  {
    api: 'OffsetCommit',
    args: () => ({
      groupId: 'g',
      groupGenerationId: 4,
      memberId: 'm',
      retentionTime: 1_000,
      topics: at({ offset: 2 ** 52, timestamp: 8, metadata: null }),
    }),
    body: () => ({
      groupId: 'g',
      generationIdOrMemberEpoch: 4,
      memberId: 'm',
      retentionTimeMs: 1_000,
      topics: [
        {
          name: 'orders-ü',
          partitions: [
            { partitionIndex: 3, committedOffset: 2 ** 52, commitTimestamp: 8, committedMetadata: null },
          ],
        },
      ],
    }),
  },
  {
    api: 'OffsetFetch',
    args: () => ({ groupId: 'g', topics: at({}) }),
    body: () => ({ groupId: 'g', topics: [{ name: 'orders-ü', partitionIndexes: [3] }] }),
  },
  {
    api: 'FindCoordinator',
    kafkajsName: 'GroupCoordinator',
    args: () => ({ groupId: 'g', coordinatorType: 1 }),
    body: () => ({ key: 'g', keyType: 1 }),
  },
  {
    api: 'JoinGroup',
    args: () => ({
      groupId: 'g',
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
      memberId: '',
      groupInstanceId: 'i',
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: BYTES }],
    }),
    body: (version) => ({
      groupId: 'g',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: version >= 5 ? 'i' : null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: BYTES }],
    }),
  },
  {
    api: 'Heartbeat',
    args: () => ({ groupId: 'g', groupGenerationId: 4, memberId: 'm', groupInstanceId: 'i' }),
    body: () => ({ groupId: 'g', generationId: 4, memberId: 'm', groupInstanceId: 'i' }),
  },
  {
    api: 'LeaveGroup',
    args: () => ({ groupId: 'g', memberId: 'm', groupInstanceId: 'i' }),
    body: () => ({ groupId: 'g', memberId: 'm', members: [{ memberId: 'm', groupInstanceId: 'i' }] }),
  },
  {
    api: 'SyncGroup',
    args: () => ({
      groupId: 'g',
      generationId: 4,
      memberId: 'm',
      groupInstanceId: 'i',
      groupAssignment: [{ memberId: 'm', memberAssignment: BYTES }],
    }),
    body: () => ({
      groupId: 'g',
      generationId: 4,
      memberId: 'm',
      groupInstanceId: 'i',
      assignments: [{ memberId: 'm', assignment: BYTES }],
    }),
  },
  {
    api: 'DescribeGroups',
    args: () => ({ groupIds: ['g', 'h'] }),
    body: () => ({ groups: ['g', 'h'], includeAuthorizedOperations: false }),
  },
  { api: 'ListGroups', args: () => ({}), body: () => ({}) },
  { api: 'SaslHandshake', args: () => ({ mechanism: 'PLAIN' }), body: () => ({ mechanism: 'PLAIN' }) },
  { api: 'ApiVersions', args: () => ({}), body: () => ({}) },
  {
    api: 'CreateTopics',
    args: () => ({
      timeout: 1_000,
      validateOnly: true,
      topics: [
        {
          topic: 't',
          numPartitions: 3,
          replicationFactor: 1,
          replicaAssignment: [{ partition: 0, replicas: [1, 2] }],
          configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
    }),
    body: () => ({
      topics: [
        {
          name: 't',
          numPartitions: 3,
          replicationFactor: 1,
          assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }],
          configs: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
      timeoutMs: 1_000,
      validateOnly: true,
    }),
  },
  {
    api: 'DeleteTopics',
    args: () => ({ topics: ['a', 'b'], timeout: 1_000 }),
    body: () => ({ topicNames: ['a', 'b'], timeoutMs: 1_000 }),
  },
  {
    api: 'InitProducerId',
    args: () => ({ transactionalId: 'tx', transactionTimeout: 60_000 }),
    body: () => ({ transactionalId: 'tx', transactionTimeoutMs: 60_000 }),
  },
  {
    api: 'DescribeConfigs',
    args: () => ({ resources: [{ type: 2, name: 't', configNames: ['a', 'b'] }], includeSynonyms: true }),
    body: () => ({
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['a', 'b'] }],
      includeSynonyms: true,
    }),
  },
  {
    // kafkajs hands on bytes that bring their length with them.
    api: 'SaslAuthenticate',
    args: () => ({ authBytes: Buffer.concat([Buffer.of(0, 0, 0, BYTES.length), BYTES]) }),
    body: () => ({ authBytes: BYTES }),
  },
  {
    api: 'CreatePartitions',
    args: () => ({
      topicPartitions: [{ topic: 't', count: 4, assignments: [[1, 2]] }],
      validateOnly: true,
      timeout: 9,
    }),
    body: () => ({
      topics: [{ name: 't', count: 4, assignments: [{ brokerIds: [1, 2] }] }],
      timeoutMs: 9,
      validateOnly: true,
    }),
  },
  { api: 'DeleteGroups', args: () => ['g', 'h'], body: () => ({ groupsNames: ['g', 'h'] }) },
];

function definition({ api, kafkajsName }: OracleCase<object>): Definition {
  const found = requests[kafkajsName ?? api];
  if (found === undefined) throw new Error(`kafkajs has no ${api}`);
  return found;
}

export function kafkajsVersions(oracle: OracleCase<object>): number[] {
  return definition(oracle).versions.map(Number);
}

export async function kafkajsRequest(
  oracle: OracleCase<object>,
  version: number,
  header: Header,
): Promise<Buffer> {
  const { request } = definition(oracle).protocol({ version })(oracle.args(version));
  return (await frameRequest({ ...header, request })).buffer;
}

/** The values it reads from `body`, what follows the correlation id; without those it makes up itself. */
export async function kafkajsLeaves(
  oracle: OracleCase<object>,
  version: number,
  body: Buffer,
): Promise<string[]> {
  const decoded = await definition(oracle).protocol({ version })(oracle.args(version)).response.decode(body);
  const leaves = leavesOf(decoded);
  return oracle.api === 'SaslAuthenticate'
    ? leaves.map((text) => text.replace('\0\0\0\x07bytes', 'bytes'))
    : leaves;
}

/** A throttle time it has taken for itself, flags it fills in, the config source it guesses in v0. */
export const KAFKAJS_INVENTS = ['0', 'false', 'undefined', '5'];
