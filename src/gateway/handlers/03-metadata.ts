import type { TopicImage } from '../../metadata/image.ts';
import { isInternalTopic } from '../../metadata/internal-topics.ts';
import { isTopicName } from '../../metadata/topic-names.ts';
import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { type MetadataRequest, type MetadataResponse, metadataApi } from '../../wire/apis/03-metadata.ts';
import { type CreateTopicsResponse, createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { AclResource } from '../../security/acl.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { authorizedOperations, clusterOperations } from '../access/operations.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';
import { quotaClient } from '../throttle.ts';

type TopicResponse = MetadataResponse['topics'][number];

/**
 * The one broker there is, under the address that this client's listener advertises, or the broker, else under the one
 * it came in on: the only one known to work for it.
 */
export function brokerOf(call: Call) {
  const { nodeId, advertised } = call.gateway.config;
  const { socket } = call.connection;
  return { nodeId, ...(socket.advertised ?? advertised ?? socket.address), rack: null };
}

/**
 * Brokers, topics and leaders. Named topics that are missing are created where client and settings allow it; unlike
 * Kafka, the answer waits for the creation, so that no client starts with an error.
 */
export const metadata = handler({
  api: metadataApi,
  min: 0,
  max: 13,
  handle(call, request) {
    const missing = request.topics === null ? [] : missingNames(call, request);
    if (missing.length === 0) return call.reply(respond(call, request, new Map()));
    const creation = { topics: missing.map(newTopic), timeoutMs: 30_000, validateOnly: false };
    call.askAs(createTopicsApi.key, createTopicsApi.versions.max, METADATA_SHARD, creation, (reply) => {
      const created = (reply.body as CreateTopicsResponse | undefined)?.topics ?? [];
      const errors = new Map(created.map(({ name, errorCode }) => [name, errorCode]));
      call.reply(respond(call, request, errors));
    });
  },
});

function missingNames(call: Call, request: MetadataRequest): string[] {
  const { image, config } = call.gateway;
  if (!request.allowAutoTopicCreation || !config.autoCreateTopicsEnable) return [];
  const names = (request.topics ?? []).flatMap(({ name }) => (name === null ? [] : [name]));
  const missing = [...new Set(names)].filter((name) => image.topic(name) === undefined);
  return missing.length === 0 ? missing : withinQuota(call, missing);
}

/** Topics that a client makes by naming them count like those it creates; none are made while it has to wait. */
function withinQuota(call: Call, names: string[]): string[] {
  const { quotas, clock, config } = call.gateway;
  if (quotas.isEmpty) return names;
  const now = clock.now();
  const quota = quotas.mutationsOf(quotaClient(call.caller), now);
  if (quota === undefined) return names;
  if (quota.throttleMs(now) > 0) return [];
  quota.take(names.length * config.numPartitions(), now);
  call.throttleMs = quota.throttleMs(now);
  return names;
}

function newTopic(name: string) {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
}

function respond(call: Call, request: MetadataRequest, creationErrors: ReadonlyMap<string, number>) {
  const { image, config } = call.gateway;
  return {
    throttleTimeMs: 0,
    brokers: [brokerOf(call)],
    clusterId: image.clusterId,
    controllerId: config.nodeId,
    topics: wantedTopics(call, request, creationErrors),
    errorCode: ErrorCode.NONE,
    clusterAuthorizedOperations: clusterOperations(call, request.includeClusterAuthorizedOperations),
  };
}

/** Asks for every topic; the oldest version says so with an empty list. */
export function isForAll({ version }: Call, { topics }: MetadataRequest): boolean {
  return topics === null || (topics.length === 0 && version === 0);
}

function wantedTopics(
  call: Call,
  request: MetadataRequest,
  creationErrors: ReadonlyMap<string, number>,
): TopicResponse[] {
  const { image } = call.gateway;
  const found = (topic: TopicImage) => ({
    ...foundTopic(topic),
    topicAuthorizedOperations: authorizedOperations(call, request.includeTopicAuthorizedOperations, {
      type: AclResource.TOPIC,
      name: topic.name,
    }),
  });
  if (isForAll(call, request)) return image.topics().map(found);
  return (request.topics ?? []).map(({ name, topicId }) => {
    const topic = topicId !== ZERO_UUID ? image.topicById(topicId) : image.topic(name ?? '');
    if (topic !== undefined) return found(topic);
    if (topicId !== ZERO_UUID) return absent(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID);
    const failed = creationErrors.get(name ?? '') ?? ErrorCode.NONE;
    const gone = failed === ErrorCode.NONE || failed === ErrorCode.TOPIC_ALREADY_EXISTS;
    const unknown = isTopicName(name ?? '')
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.INVALID_TOPIC_EXCEPTION;
    return absent(name, topicId, gone ? unknown : failed);
  });
}

function foundTopic(topic: TopicImage): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex: partition.index,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: [...partition.replicas],
      isrNodes: [...partition.isr],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

export function absent(name: string | null, topicId: string, errorCode: number): TopicResponse {
  return {
    errorCode,
    name,
    topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
