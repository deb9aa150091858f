import { ErrorCode, KafkaError } from '../model/errors.ts';
import { ZERO_UUID, type BrokerId } from '../model/ids.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../wire/apis/19-create-topics.ts';
import { ConfigSource } from './configs/definitions.ts';
import { brokerConfigNumber, effectiveTopicConfig } from './configs/effective.ts';
import { TOPIC_CONFIGS } from './configs/topic-configs.ts';
import { checkTopicConfigs } from './configs/validate.ts';
import { ResourceType, type MetadataImage } from './image.ts';
import { internalTopic, isInternalTopic } from './internal-topics.ts';
import {
  answering,
  duplicates,
  DUPLICATE_NAME,
  PARTITIONS_PER_REQUEST_MAX,
  tooManyPartitions,
  tooManyTopics,
  type Assignments,
  type ControllerContext,
  type Outcome,
} from './outcome.ts';
import { checkAssignment, newPartition, place } from './placement.ts';
import type { MetadataRecordInit } from './records.ts';
import { PartitionRoom } from './partition-room.ts';
import { partitionRecord } from './snapshot.ts';
import { checkTopicName, NameCollisions } from './topic-names.ts';

type CreatableTopic = CreateTopicsRequest['topics'][number];
type TopicResult = CreateTopicsResponse['topics'][number];

/** A topic as it will be, all checks passed. */
interface TopicPlan {
  readonly name: string;
  readonly assignments: Assignments;
  readonly configs: ReadonlyMap<string, string>;
}

/**
 * Creates each topic that can be, tells for each other one why not. A name given twice is refused once for
 * all.
 */
export function decideCreateTopics(
  context: ControllerContext,
  request: CreateTopicsRequest,
): Outcome<CreateTopicsResponse> {
  const { image } = context;
  const respond = (topics: TopicResult[]) => ({ throttleTimeMs: 0, topics });
  const tooMany = tooManyTopics(request.topics.length) ?? tooManyAsked(context, request.topics);
  if (tooMany)
    return { records: [], response: respond(request.topics.map(({ name }) => refused(name, tooMany))) };
  const records: MetadataRecordInit[] = [];
  const usual = usualConfigs(context);
  const twice = duplicates(request.topics.map((topic) => topic.name));
  const collisions = new NameCollisions(image.topicNames());
  const room = new PartitionRoom(context);
  const create = (topic: CreatableTopic): TopicResult => {
    if (twice.has(topic.name)) throw new KafkaError(ErrorCode.INVALID_REQUEST, DUPLICATE_NAME);
    checkNewName(context, collisions, topic.name);
    const plan = planTopic(context, topic);
    room.take(topic.name, plan.assignments.length);
    collisions.add(topic.name);
    if (request.validateOnly) return created(plan, ZERO_UUID, usual);
    const topicId = context.uuid();
    records.push(...topicRecords(image, plan, topicId));
    return created(plan, topicId, usual);
  };
  const once = new Map(request.topics.map((topic) => [topic.name, topic]));
  const topics = [...once.values()].map((topic) =>
    answering(
      () => create(topic),
      (error) => refused(topic.name, error),
    ),
  );
  return { records, response: respond(topics) };
}

/** Before anything is made of the request, so that one cannot ask for more memory than there is. */
function tooManyAsked(context: ControllerContext, topics: readonly CreatableTopic[]): KafkaError | undefined {
  const usual = brokerConfigNumber(context, 'num.partitions');
  const asked = topics.map(({ name, numPartitions, assignments }) => {
    if (assignments.length > 0) return assignments.length;
    if (numPartitions !== -1) return Math.max(0, numPartitions);
    return internalTopic(name, context)?.partitions ?? usual;
  });
  const sum = asked.reduce((before, count) => before + count, 0);
  return sum > PARTITIONS_PER_REQUEST_MAX ? tooManyPartitions() : undefined;
}

function checkNewName(context: ControllerContext, collisions: NameCollisions, name: string): void {
  const { image } = context;
  checkTopicName(name);
  if (isInternalTopic(name) && !internalTopic(name, context)) {
    throw new KafkaError(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Creation of internal topic ${name} is prohibited.`,
    );
  }
  if (image.topic(name))
    throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
  const other = collisions.with(name);
  if (other !== undefined) {
    throw new KafkaError(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Topic '${name}' collides with existing topic: ${other}`,
    );
  }
}

function planTopic(context: ControllerContext, topic: CreatableTopic): TopicPlan {
  const internal = internalTopic(topic.name, context);
  if (internal) {
    checkLeftToUs(topic);
    const { partitions: count, replicationFactor, configs } = internal;
    return {
      name: topic.name,
      configs,
      assignments: place(context.image, { first: 0, count, replicationFactor }),
    };
  }
  const configs = new Map<string, string>();
  for (const { name, value } of topic.configs) {
    if (value === null) {
      throw new KafkaError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${name}`);
    }
    configs.set(name, value);
  }
  checkTopicConfigs(configs, context);
  const { name } = topic;
  if (topic.assignments.length > 0)
    return { name, configs, assignments: manualAssignments(context.image, topic) };
  return { name, configs, assignments: place(context.image, countsOf(context, topic)) };
}

/**
 * Anyone may cause a coordinator's topic to be there, nobody may choose its shape: it decides who
 * coordinates whom.
 */
function checkLeftToUs({
  name,
  numPartitions,
  replicationFactor,
  assignments,
  configs,
}: CreatableTopic): void {
  if (numPartitions === -1 && replicationFactor === -1 && assignments.length === 0 && configs.length === 0)
    return;
  throw new KafkaError(
    ErrorCode.INVALID_TOPIC_EXCEPTION,
    `Topic '${name}' is internal: its partitions, replicas and configs are for the broker to choose (-1).`,
  );
}

function countsOf(context: ControllerContext, { numPartitions, replicationFactor }: CreatableTopic) {
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw new KafkaError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    );
  }
  if (numPartitions < -1 || numPartitions === 0) {
    throw new KafkaError(
      ErrorCode.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    );
  }
  const orDefault = (asked: number, name: string) =>
    asked === -1 ? brokerConfigNumber(context, name) : asked;
  return {
    first: 0,
    count: orDefault(numPartitions, 'num.partitions'),
    replicationFactor: orDefault(replicationFactor, 'default.replication.factor'),
  };
}

function manualAssignments(image: MetadataImage, topic: CreatableTopic): Assignments {
  if (topic.replicationFactor !== -1 || topic.numPartitions !== -1) {
    const what = topic.replicationFactor === -1 ? 'numPartitions' : 'replication factor';
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      `A manual partition assignment was specified, but ${what} was not set to -1.`,
    );
  }
  const byIndex = new Map<number, BrokerId[]>();
  let replicationFactor: number | undefined;
  for (const { partitionIndex: partition, brokerIds } of topic.assignments) {
    if (byIndex.has(partition)) {
      throw new KafkaError(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `Found multiple manual partition assignments for partition ${partition}`,
      );
    }
    checkAssignment(image, brokerIds, { partition, replicationFactor });
    replicationFactor = brokerIds.length;
    byIndex.set(partition, [...brokerIds]);
  }
  return Array.from({ length: byIndex.size }, (_, index) => {
    const replicas = byIndex.get(index);
    if (replicas) return replicas;
    const what = 'partitions should be a consecutive 0-based integer sequence';
    throw new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, what);
  });
}

/** In Kafka's order: the topic, its configs, its partitions. */
function* topicRecords(image: MetadataImage, plan: TopicPlan, topicId: string): Iterable<MetadataRecordInit> {
  const { name: resourceName } = plan;
  yield { type: 'topic', name: resourceName, topicId };
  for (const [name, value] of plan.configs) {
    yield { type: 'config', resourceType: ResourceType.TOPIC, resourceName, name, value };
  }
  for (const [index, replicas] of plan.assignments.entries()) {
    yield partitionRecord({ id: topicId }, newPartition(image, index, replicas));
  }
}

type ConfigResult = NonNullable<TopicResult['configs']>[number];

/** The settings of a topic that has none of its own. */
function usualConfigs(context: ControllerContext): ConfigResult[] {
  return TOPIC_CONFIGS.map((definition) => {
    const { value, source } = effectiveTopicConfig(context, new Map(), definition);
    return { name: definition.name, value, readOnly: false, configSource: source, isSensitive: false };
  });
}

/** `topicId` is all zeros when nothing was created. */
function created(plan: TopicPlan, topicId: string, usual: readonly ConfigResult[]): TopicResult {
  const { name, assignments, configs } = plan;
  return {
    name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: assignments.length,
    replicationFactor: assignments[0]?.length ?? 0,
    configs: usual.map((setting) => {
      const value = configs.get(setting.name);
      return value === undefined ? setting : { ...setting, value, configSource: ConfigSource.DYNAMIC_TOPIC };
    }),
  };
}

function refused(name: string, error: KafkaError): TopicResult {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: error.code,
    errorMessage: error.message,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
