import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { type ProduceRequest, type ProduceResponse, produceApi } from '../../wire/apis/00-produce.ts';
import { type ListOffsetsResponse, listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import { type MetadataResponse, metadataApi } from '../../wire/apis/03-metadata.ts';
import { type CreateTopicsResponse, createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { type DeleteTopicsResponse, deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { type DeleteRecordsResponse, deleteRecordsApi } from '../../wire/apis/21-delete-records.ts';
import {
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochApi,
} from '../../wire/apis/23-offset-for-leader-epoch.ts';
import { type CreatePartitionsResponse, createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import {
  type DescribeTopicPartitionsResponse,
  describeTopicPartitionsApi,
} from '../../wire/apis/75-describe-topic-partitions.ts';
import { refused as refusedDescription } from '../handlers/75-describe-topic-partitions.ts';
import { refusedPartition } from '../handlers/00-produce.ts';
import { unanswered as noEnd } from '../handlers/23-offset-for-leader-epoch.ts';
import { unanswered as noOffset } from '../handlers/02-list-offsets.ts';
import { absent, isForAll } from '../handlers/03-metadata.ts';
import { andThen, type MaybePromise } from '../../records/codecs.ts';
import type { Call } from '../call.ts';
import type { Access } from './access.ts';
import { areAllOf, inTurn } from './by-key.ts';
import { type Guard, guard, parted } from './guard.ts';

const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;

type ProduceTopic = ProduceRequest['topicData'][number];

const produce = guard(produceApi, (asked) => {
  const { call, request, access } = asked;
  const { transactionalId } = request;
  const mayBegin = transactionalId === null || access.transactionalId(Op.WRITE, transactionalId);
  const { allowed, refused } = parted(
    request.topicData,
    (topic) => mayBegin && access.namedTopic(Op.WRITE, topic),
  );
  const code = mayBegin ? errorCode : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  if (access.scope?.isByKey !== true) return produceAllowed(asked, { allowed, refused, code });
  const left = andThen(byKey(asked, allowed), (keyed) =>
    produceAllowed(asked, { allowed: keyed.allowed, refused: [...refused, ...keyed.refused], code }),
  );
  if (!(left instanceof Promise)) return left;
  left.then(
    (request) => request && call.handler.handle(call, request),
    () => call.close('bad_request'),
  );
  return undefined;
});

/** Parts what may be written, by the keys of its records. */
function byKey(
  { call, access }: { call: Call; access: Access },
  topics: readonly ProduceTopic[],
): MaybePromise<{ allowed: ProduceTopic[]; refused: ProduceTopic[] }> {
  const tools = call.gateway.recordTools;
  const allowed: ProduceTopic[] = [];
  const refused: ProduceTopic[] = [];
  const all = topics.flatMap((topic) => topic.partitionData.map((partition) => ({ topic, partition })));
  const look = ({ topic, partition }: (typeof all)[number]) => {
    const prefixes = access.keyPrefixes(Op.WRITE, { topic: topic.name, topicId: topic.topicId });
    const { records } = partition;
    const mayBe =
      prefixes === undefined ||
      (tools !== undefined && records !== null && areAllOf(tools, records, prefixes));
    return andThen(
      mayBe,
      (may) => void (may ? allowed : refused).push({ ...topic, partitionData: [partition] }),
    );
  };
  return andThen(inTurn(all, look), () => ({ allowed, refused }));
}

/** Handles what may be, and answers for the rest. */
function produceAllowed(
  { call, request }: { call: Call; request: ProduceRequest },
  { allowed, refused, code }: { allowed: ProduceTopic[]; refused: ProduceTopic[]; code: number },
): ProduceRequest | undefined {
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => refusedPartition(index, code)),
  }));
  call.amend((body: ProduceResponse) => ({ ...body, responses: [...body.responses, ...refusals] }));
  if (request.acks !== 0) return { ...request, topicData: allowed };
  // What may be written is; and closing is the one way to say that the rest is not.
  call.handler.handle(call, { ...request, topicData: allowed });
  call.close('acks_0_failed');
  return undefined;
}

const listOffsets = guard(listOffsetsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.topics, (topic) => access.namedTopic(Op.DESCRIBE, topic));
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({ ...noOffset(partition), errorCode })),
  }));
  call.amend((body: ListOffsetsResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

const deleteRecords = guard(deleteRecordsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.topics, ({ name }) => access.topic(Op.DELETE, name));
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
  }));
  call.amend((body: DeleteRecordsResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

const offsetForLeaderEpoch = guard(offsetForLeaderEpochApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.topics, ({ topic }) => access.topic(Op.DESCRIBE, topic));
  if (refused.length === 0) return request;
  const refusals = refused.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partition) => ({ ...noEnd(partition), errorCode })),
  }));
  call.amend((body: OffsetForLeaderEpochResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

/** A list of all has those that may be described; of those that are named the others are refused, there or not. */
const metadata = guard(metadataApi, ({ call, request, access }) => {
  if (isForAll(call, request)) {
    call.amend((body: MetadataResponse) => ({
      ...body,
      topics: body.topics.filter(({ name }) => name !== null && access.topic(Op.DESCRIBE, name)),
    }));
    return request;
  }
  const { image, config } = call.gateway;
  const mayCreateAny = access.cluster(Op.CREATE);
  const isMade = (name: string | null) =>
    request.allowAutoTopicCreation &&
    config.autoCreateTopicsEnable &&
    name !== null &&
    image.topic(name) === undefined;
  const mayBeMade = (name: string | null) => mayCreateAny || access.topic(Op.CREATE, name ?? '');
  const { allowed, refused } = parted(
    request.topics ?? [],
    (topic) => access.namedTopic(Op.DESCRIBE, topic) && (!isMade(topic.name) || mayBeMade(topic.name)),
  );
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name, topicId }) =>
    topicId === ZERO_UUID ? absent(name, ZERO_UUID, errorCode) : absent(null, topicId, errorCode),
  );
  call.amend((body: MetadataResponse) => ({
    ...body,
    // In the oldest version an empty list means all.
    topics: [...(allowed.length === 0 ? [] : body.topics), ...refusals],
  }));
  return { ...request, topics: allowed };
});

const createTopics = guard(createTopicsApi, ({ call, request, access }) => {
  const mayCreateAny = access.cluster(Op.CREATE);
  const { allowed, refused } = parted(
    request.topics,
    ({ name }) => mayCreateAny || access.topic(Op.CREATE, name),
  );
  const refusals = refused.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: [] }));
  call.amend((body: CreateTopicsResponse) => ({
    ...body,
    topics: [
      ...body.topics.map((topic) =>
        access.topic(Op.DESCRIBE_CONFIGS, topic.name) ? topic : withoutConfigs(topic),
      ),
      ...refusals,
    ],
  }));
  return { ...request, topics: allowed };
});

function withoutConfigs(topic: CreateTopicsResponse['topics'][number]) {
  return {
    ...topic,
    topicConfigErrorCode: errorCode,
    numPartitions: -1,
    replicationFactor: -1,
    configs: null,
  };
}

const deleteTopics = guard(deleteTopicsApi, ({ call, request, access }) => {
  const { image } = call.gateway;
  const mayGo = (topic: { name: string | null; topicId?: string }) => access.namedTopic(Op.DELETE, topic);
  const names = parted(request.topicNames, (name) => mayGo({ name }));
  const topics = parted(request.topics, mayGo);
  if (names.refused.length + topics.refused.length === 0) return request;
  const refusals = [...names.refused.map((name) => ({ name, topicId: ZERO_UUID })), ...topics.refused].map(
    ({ name, topicId }) => {
      const found = name === null ? image.topicById(topicId)?.name : undefined;
      // Whoever may know the topic is told its name.
      const isKnown = found !== undefined && access.topic(Op.DESCRIBE, found);
      return { name: isKnown ? found : name, topicId, errorCode, errorMessage: null };
    },
  );
  call.amend((body: DeleteTopicsResponse) => ({ ...body, responses: [...body.responses, ...refusals] }));
  return { ...request, topicNames: names.allowed, topics: topics.allowed };
});

const createPartitions = guard(createPartitionsApi, ({ call, request, access }) => {
  const { allowed, refused } = parted(request.topics, ({ name }) => access.topic(Op.ALTER, name));
  if (refused.length === 0) return request;
  const refusals = refused.map(({ name }) => ({ name, errorCode, errorMessage: null }));
  call.amend((body: CreatePartitionsResponse) => ({ ...body, results: [...body.results, ...refusals] }));
  return { ...request, topics: allowed };
});

/** An empty list asks for all; of all there are those that may be described. */
const describeTopicPartitions = guard(describeTopicPartitionsApi, ({ call, request, access }) => {
  const mayDescribe = ({ name }: { name: string }) => access.topic(Op.DESCRIBE, name);
  const isForEach = request.topics.length === 0;
  const wanted = isForEach ? call.gateway.image.topics().map(({ name }) => ({ name })) : request.topics;
  const { allowed, refused } = parted(wanted, mayDescribe);
  const refusals = isForEach ? [] : refused.map(({ name }) => refusedDescription(name, errorCode));
  if (allowed.length === 0) {
    call.reply({ throttleTimeMs: 0, topics: refusals, nextCursor: null });
    return undefined;
  }
  call.amend((body: DescribeTopicPartitionsResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

export const TOPIC_GUARDS: readonly Guard[] = [
  produce,
  listOffsets,
  metadata,
  createTopics,
  deleteTopics,
  deleteRecords,
  offsetForLeaderEpoch,
  createPartitions,
  describeTopicPartitions,
];
