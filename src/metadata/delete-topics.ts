import { ErrorCode, KafkaError } from '../model/errors.ts';
import { ZERO_UUID, type Uuid } from '../model/ids.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../wire/apis/20-delete-topics.ts';
import { brokerConfigValue } from './configs/effective.ts';
import type { MetadataImage, TopicImage } from './image.ts';
import { isInternalTopic } from './internal-topics.ts';
import {
  answering,
  duplicates,
  DUPLICATE_NAME,
  tooManyTopics,
  type ControllerContext,
  type Outcome,
} from './outcome.ts';
import type { MetadataRecordInit } from './records.ts';

type TopicResult = DeleteTopicsResponse['responses'][number];

/** What a client named: by name, or (v6) by id alone. */
interface Target {
  readonly name: string | null;
  readonly topicId: Uuid;
}

/** Deletes each topic that is there, tells for each other one why not. */
export function decideDeleteTopics(
  context: ControllerContext,
  request: DeleteTopicsRequest,
): Outcome<DeleteTopicsResponse> {
  const { image } = context;
  const records: MetadataRecordInit[] = [];
  const targets: Target[] = [
    ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })),
    ...request.topics,
  ];
  const respond = (responses: TopicResult[]) => ({ throttleTimeMs: 0, responses });
  const tooMany = tooManyTopics(targets.length);
  if (tooMany) return { records, response: respond(targets.map((target) => refused(target, tooMany))) };
  const enabled = brokerConfigValue(context, 'delete.topic.enable')?.trim().toLowerCase() !== 'false';
  const twice = duplicates(targets.map(keyOf));
  const gone = new Set<Uuid>();
  const remove = (target: Target): TopicResult => {
    if (!enabled) throw new KafkaError(ErrorCode.TOPIC_DELETION_DISABLED, 'Topic deletion is disabled.');
    checkTarget(target, twice);
    const { name, id: topicId } = find(image, target);
    if (isInternalTopic(name)) {
      throw new KafkaError(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        `Topic '${name}' is internal and cannot be deleted.`,
      );
    }
    if (gone.has(topicId)) {
      const what = 'The provided topic name maps to an ID that was already supplied.';
      throw new KafkaError(ErrorCode.INVALID_REQUEST, what);
    }
    gone.add(topicId);
    records.push({ type: 'removeTopic', topicId });
    return { name, topicId, errorCode: ErrorCode.NONE, errorMessage: null };
  };
  const once = new Map(targets.map((target) => [keyOf(target), target]));
  const responses = [...once.values()].map((target) =>
    answering(
      () => remove(target),
      (error) => refused(target, error),
    ),
  );
  return { records, response: respond(responses) };
}

function keyOf({ name, topicId }: Target): string {
  return name === null ? `id ${topicId}` : `name ${name} ${topicId}`;
}

function checkTarget(target: Target, twice: ReadonlySet<string>): void {
  const { name, topicId } = target;
  const refuse = (what: string): never => {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, what);
  };
  if (name === null && topicId === ZERO_UUID) refuse('Neither topic name nor id were specified.');
  if (name !== null && topicId !== ZERO_UUID) refuse('You may not specify both topic name and topic id.');
  if (twice.has(keyOf(target))) refuse(name === null ? 'Duplicate topic id.' : DUPLICATE_NAME);
}

function find(image: MetadataImage, { name, topicId }: Target): TopicImage {
  const topic = name === null ? image.topicById(topicId) : image.topic(name);
  if (topic) return topic;
  throw new KafkaError(name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
}

function refused({ name, topicId }: Target, error: KafkaError): TopicResult {
  return { name, topicId, errorCode: error.code, errorMessage: error.message };
}
