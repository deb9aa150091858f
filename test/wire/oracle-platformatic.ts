/** What @platformatic/kafka 2.12.1 writes and reads: its low-level APIs, one namespace a version. */
import * as platformatic from '@platformatic/kafka';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { leavesOf, toDashed, type Header, type OracleCase } from './oracle.ts';

type Body = InstanceType<typeof platformatic.Writer>;

/** What its `api` functions ask of a connection: how this version's frames are made and read. */
interface Sent {
  body: Body;
  parse: (correlationId: number, apiKey: number, apiVersion: number, reader: platformatic.Reader) => unknown;
  requestTags: boolean;
  responseTags: boolean;
}

const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw';
const BYTES = Buffer.from('some metadata');

const topicOf = (version: number, since: number) => (version >= since ? toDashed(TOPIC_ID) : 'orders-ü');
const topics = (partition: object) => [
  { name: 'orders-ü', partitions: [{ partitionIndex: 3, ...partition }] },
];

/** `args` go to platformatic, and `body` is the same request in our words. */
export const platformaticCases: OracleCase<unknown[]>[] = [
  {
    api: 'Produce',
    args: () => [
      -1,
      30_000,
      [{ topic: 'orders-ü', partition: 3, key: BYTES, value: BYTES, timestamp: 1_700_000_000_000n }],
      { transactionalId: 'tx', producerId: 7n, producerEpoch: 1 },
    ],
    body: (_version, records) => ({
      transactionalId: 'tx',
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: 'orders-ü', partitionData: [{ index: 3, records }] }],
    }),
  },
  {
    api: 'Fetch',
    args: (version) => [
      500,
      1,
      1_048_576,
      1,
      9,
      2,
      [
        {
          topicId: topicOf(version, 13),
          partitions: [
            {
              partition: 3,
              currentLeaderEpoch: 4,
              fetchOffset: 2n ** 40n + 1n,
              lastFetchedEpoch: 3,
              partitionMaxBytes: 65_536,
              replicaDirectoryId: toDashed(TOPIC_ID),
            },
          ],
        },
      ],
      [{ topic: topicOf(version, 13), partitions: [1, 2] }],
      'r1',
    ],
    body: () => ({
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      isolationLevel: 1,
      sessionId: 9,
      sessionEpoch: 2,
      topics: [
        {
          topic: 'orders-ü',
          topicId: TOPIC_ID,
          partitions: [
            {
              partition: 3,
              currentLeaderEpoch: 4,
              fetchOffset: 2 ** 40 + 1,
              lastFetchedEpoch: 3,
              partitionMaxBytes: 65_536,
              replicaDirectoryId: TOPIC_ID,
            },
          ],
        },
      ],
      forgottenTopicsData: [{ topic: 'orders-ü', topicId: TOPIC_ID, partitions: [1, 2] }],
      rackId: 'r1',
    }),
  },
  {
    api: 'ListOffsets',
    args: () => [-1, 1, topics({ currentLeaderEpoch: 4, timestamp: -2n })],
    body: () => ({
      replicaId: -1,
      isolationLevel: 1,
      topics: topics({ currentLeaderEpoch: 4, timestamp: -2, maxNumOffsets: 1 }),
    }),
    unread: (version) => (version === 0 ? 'oldStyleOffsets' : undefined),
  },
  {
    api: 'Metadata',
    args: () => [['a', 'b'], false, true],
    body: () => ({
      topics: [{ name: 'a' }, { name: 'b' }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: true,
    }),
  },
  {
    api: 'OffsetCommit',
    args: () => [
      'g',
      4,
      'm',
      'i',
      topics({ committedOffset: 2n ** 52n, committedLeaderEpoch: 6, committedMetadata: 'x' }),
    ],
    body: () => ({
      groupId: 'g',
      generationIdOrMemberEpoch: 4,
      memberId: 'm',
      groupInstanceId: 'i',
      topics: topics({ committedOffset: 2 ** 52, committedLeaderEpoch: 6, committedMetadata: 'x' }),
    }),
  },
  {
    api: 'OffsetFetch',
    args: () => [
      [
        {
          groupId: 'g',
          memberId: 'm',
          memberEpoch: 5,
          topics: [{ name: 'orders-ü', partitionIndexes: [3, 4] }],
        },
      ],
      true,
    ],
    body: () => {
      const asked = { groupId: 'g', topics: [{ name: 'orders-ü', partitionIndexes: [3, 4] }] };
      return { ...asked, groups: [{ ...asked, memberId: 'm', memberEpoch: 5 }], requireStable: true };
    },
  },
  {
    api: 'FindCoordinator',
    args: (version) => [1, version >= 4 ? ['g', 'h'] : ['g']],
    body: () => ({ key: 'g', keyType: 1, coordinatorKeys: ['g', 'h'] }),
  },
  {
    api: 'JoinGroup',
    args: () => ['g', 30_000, 60_000, 'm', 'i', 'consumer', [{ name: 'range', metadata: BYTES }], 'because'],
    body: () => ({
      groupId: 'g',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: 'm',
      groupInstanceId: 'i',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: BYTES }],
      reason: 'because',
    }),
  },
  {
    api: 'Heartbeat',
    args: () => ['g', 4, 'm', 'i'],
    body: () => ({ groupId: 'g', generationId: 4, memberId: 'm', groupInstanceId: 'i' }),
  },
  {
    api: 'LeaveGroup',
    args: () => ['g', [{ memberId: 'm', groupInstanceId: 'i', reason: 'because' }]],
    body: () => ({
      groupId: 'g',
      memberId: 'm',
      members: [{ memberId: 'm', groupInstanceId: 'i', reason: 'because' }],
    }),
  },
  {
    api: 'SyncGroup',
    args: () => ['g', 4, 'm', 'i', 'consumer', 'range', [{ memberId: 'm', assignment: BYTES }]],
    body: () => ({
      groupId: 'g',
      generationId: 4,
      memberId: 'm',
      groupInstanceId: 'i',
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId: 'm', assignment: BYTES }],
    }),
  },
  {
    api: 'DescribeGroups',
    args: () => [['g', 'h'], true],
    body: () => ({ groups: ['g', 'h'], includeAuthorizedOperations: true }),
  },
  {
    api: 'ListGroups',
    args: () => [['STABLE'], ['classic']],
    body: () => ({ statesFilter: ['Stable'], typesFilter: ['classic'] }),
  },
  { api: 'SaslHandshake', args: () => ['PLAIN'], body: () => ({ mechanism: 'PLAIN' }) },
  {
    api: 'ApiVersions',
    args: () => ['oracle', '1.0'],
    body: () => ({ clientSoftwareName: 'oracle', clientSoftwareVersion: '1.0' }),
  },
  {
    api: 'CreateTopics',
    args: () => [
      [
        {
          name: 't',
          numPartitions: 3,
          replicationFactor: 1,
          assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }],
          configs: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
      1_000,
      true,
    ],
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
    unread: (version) => (version < 7 ? 'topicConfigErrorCode' : undefined),
  },
  {
    api: 'DeleteTopics',
    args: () => [[{ name: 'a' }, { name: 'b' }], 1_000],
    body: () => ({ topics: [{ name: 'a' }, { name: 'b' }], topicNames: ['a', 'b'], timeoutMs: 1_000 }),
  },
  {
    api: 'InitProducerId',
    args: () => ['tx', 60_000, 7n, 1],
    body: () => ({ transactionalId: 'tx', transactionTimeoutMs: 60_000, producerId: 7, producerEpoch: 1 }),
  },
  {
    api: 'OffsetForLeaderEpoch',
    args: () => [-1, topics({ currentLeaderEpoch: 4, leaderEpoch: 2 })],
    body: () => ({
      replicaId: -1,
      topics: [{ topic: 'orders-ü', partitions: [{ partition: 3, currentLeaderEpoch: 4, leaderEpoch: 2 }] }],
    }),
  },
  {
    api: 'DescribeConfigs',
    args: () => [[{ resourceType: 2, resourceName: 't', configurationKeys: ['a', 'b'] }], true, true],
    body: () => ({
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['a', 'b'] }],
      includeSynonyms: true,
      includeDocumentation: true,
    }),
    unread: (version) => (version === 0 ? 'isDefault' : undefined),
  },
  { api: 'SaslAuthenticate', args: () => [BYTES], body: () => ({ authBytes: BYTES }) },
  {
    api: 'CreatePartitions',
    args: () => [[{ name: 't', count: 4, assignments: [{ brokerIds: [1, 2] }] }], 9, true],
    body: () => ({
      topics: [{ name: 't', count: 4, assignments: [{ brokerIds: [1, 2] }] }],
      timeoutMs: 9,
      validateOnly: true,
    }),
  },
  { api: 'DeleteGroups', args: () => [['g', 'h']], body: () => ({ groupsNames: ['g', 'h'] }) },
  {
    api: 'Envelope',
    args: () => [BYTES, BYTES, BYTES],
    body: () => ({ requestData: BYTES, requestPrincipal: BYTES, clientHostAddress: BYTES }),
  },
  {
    api: 'DescribeCluster',
    args: () => [true, 2],
    body: () => ({ includeClusterAuthorizedOperations: true, endpointType: 2 }),
  },
];

type ApiFunction = (connection: object, ...args: unknown[]) => void;
const namespaces = platformatic as unknown as Record<string, { api: ApiFunction } | undefined>;

function functionOf(api: string, version: number): ApiFunction | undefined {
  return namespaces[`${api.charAt(0).toLowerCase()}${api.slice(1)}V${version}`]?.api;
}

export function platformaticVersions({ api }: OracleCase<unknown[]>): number[] {
  return Array.from({ length: 32 }, (_, version) => version).filter((version) => functionOf(api, version));
}

/** Runs its `api` function on a connection that keeps what it is given. */
function send(oracle: OracleCase<unknown[]>, version: number): Sent {
  const sent: Sent[] = [];
  const connection = {
    send(
      _key: number,
      _version: number,
      create: () => Body,
      parse: Sent['parse'],
      requestTags: boolean,
      responseTags: boolean,
    ) {
      sent.push({ body: create(), parse, requestTags, responseTags });
    },
  };
  functionOf(oracle.api, version)?.(connection, ...oracle.args(version));
  const [only] = sent;
  if (only === undefined) throw new Error(`platformatic sent no ${oracle.api}`);
  return only;
}

export function platformaticRequest(
  oracle: OracleCase<unknown[]>,
  key: number,
  version: number,
  { correlationId, clientId }: Header,
): Buffer {
  const { body, requestTags } = send(oracle, version);
  const writer = platformatic.Writer.create()
    .appendInt16(key)
    .appendInt16(version)
    .appendInt32(correlationId)
    .appendString(clientId, false);
  if (requestTags) writer.appendTaggedFields();
  return writer.appendFrom(body).prependLength().buffer;
}

/** The values it reads from `frame`, which has no size prefix; an error code in it makes no difference. */
export function platformaticLeaves(
  oracle: OracleCase<unknown[]>,
  key: number,
  version: number,
  frame: Buffer,
): string[] {
  const { parse, responseTags } = send(oracle, version);
  const reader = platformatic.Reader.from(frame);
  const correlationId = reader.readInt32();
  if (responseTags) reader.readTaggedFields();
  try {
    return leavesOf(parse(correlationId, key, version, reader));
  } catch (error) {
    if (error instanceof platformatic.ResponseError)
      return leavesOf((error as { response?: unknown }).response);
    throw error;
  }
}

/** Its objects have the fields of the newest version, with these values where the version has none. */
export const PLATFORMATIC_INVENTS = [
  '0',
  '-1',
  '1',
  '3',
  'null',
  'false',
  'undefined',
  '-2147483648',
  ZERO_UUID,
];
