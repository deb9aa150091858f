import { at } from '../model/assert.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../wire/apis/37-create-partitions.ts';
import type { MetadataImage, TopicImage } from './image.ts';
import { isInternalTopic } from './internal-topics.ts';
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

type TopicToGrow = CreatePartitionsRequest['topics'][number];
type TopicResult = CreatePartitionsResponse['results'][number];

/** Grows each topic to its `count`; existing partitions are not touched. */
export function decideCreatePartitions(
  context: ControllerContext,
  request: CreatePartitionsRequest,
): Outcome<CreatePartitionsResponse> {
  const { image } = context;
  const records: MetadataRecordInit[] = [];
  const respond = (results: TopicResult[]) => ({ throttleTimeMs: 0, results });
  const tooMany = tooManyTopics(request.topics.length);
  if (tooMany) {
    const { code, message } = tooMany;
    return { records, response: respond(request.topics.map(({ name }) => result(name, code, message))) };
  }
  const twice = duplicates(request.topics.map((topic) => topic.name));
  const room = new PartitionRoom(context);
  let left = PARTITIONS_PER_REQUEST_MAX;
  const grow = (asked: TopicToGrow): void => {
    if (twice.has(asked.name)) throw new KafkaError(ErrorCode.INVALID_REQUEST, DUPLICATE_NAME);
    const topic = topicToGrow(image, asked);
    const first = topic.partitions.length;
    left -= asked.count - first;
    if (left < 0) throw tooManyPartitions();
    room.take(topic.name, asked.count - first);
    const added = addedAssignments(image, topic, asked);
    if (request.validateOnly) return;
    for (const [i, replicas] of added.entries()) {
      records.push(partitionRecord(topic, newPartition(image, first + i, replicas)));
    }
  };
  const once = new Map(request.topics.map((topic) => [topic.name, topic]));
  const results = [...once.values()].map((topic) =>
    answering(
      () => {
        grow(topic);
        return result(topic.name, ErrorCode.NONE, null);
      },
      (error) => result(topic.name, error.code, error.message),
    ),
  );
  return { records, response: respond(results) };
}

function result(name: string, errorCode: number, errorMessage: string | null): TopicResult {
  return { name, errorCode, errorMessage };
}

function topicToGrow(image: MetadataImage, { name, count }: TopicToGrow): TopicImage {
  const topic = image.topic(name);
  if (!topic) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  if (isInternalTopic(name)) {
    const what = `Topic '${name}' is internal: growing it would move groups to other coordinators.`;
    throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, what);
  }
  const has = topic.partitions.length;
  if (count === has) {
    throw new KafkaError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${has} partition(s).`);
  }
  if (count < has) {
    throw new KafkaError(
      ErrorCode.INVALID_PARTITIONS,
      `The topic ${name} currently has ${has} partition(s); ${count} would not be an increase.`,
    );
  }
  return topic;
}

function addedAssignments(
  image: MetadataImage,
  topic: TopicImage,
  { count, assignments }: TopicToGrow,
): Assignments {
  const first = topic.partitions.length;
  const added = count - first;
  const replicationFactor = at(topic.partitions, 0).replicas.length;
  if (assignments === null) return place(image, { first, count: added, replicationFactor });
  if (assignments.length !== added) {
    throw new KafkaError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were ` +
        'specified.',
    );
  }
  return assignments.map(({ brokerIds }, i) => {
    checkAssignment(image, brokerIds, { partition: first + i, replicationFactor });
    return brokerIds;
  });
}
