import type { MetadataImage, TopicImage } from '../metadata/image.ts';
import { isInternalTopic } from '../metadata/internal-topics.ts';
import { ErrorCode } from '../model/errors.ts';
import { ZERO_UUID, type Uuid } from '../model/ids.ts';
import { type ShardId, partitionShard } from '../ports/shard-link.ts';

export type Place = { shard: ShardId } | { errorCode: number };

/** How a request names a topic: by id where its version has them, else by name. */
export interface TopicReference {
  name?: string | null;
  topic?: string;
  topicId?: Uuid;
}

/** The topic a request means, or the code Kafka gives for one that is not there. */
export function resolveTopic(image: MetadataImage, reference: TopicReference) {
  const { topicId } = reference;
  if (topicId !== undefined && topicId !== ZERO_UUID) {
    return image.topicById(topicId) ?? { errorCode: ErrorCode.UNKNOWN_TOPIC_ID };
  }
  const name = reference.name ?? reference.topic ?? '';
  return image.topic(name) ?? { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
}

/** Ids of a topic's shards, made once: a new string costs its making, and its hash wherever it is looked up. */
const shardIds = new WeakMap<TopicImage, ShardId[]>();

function shardOf(topic: TopicImage, partition: number): ShardId {
  let ids = shardIds.get(topic);
  if (ids === undefined) shardIds.set(topic, (ids = []));
  return (ids[partition] ??= partitionShard({ topic: topic.name, topicId: topic.id, partition }));
}

/** The shard of a partition, as far as there is one. */
export function resolvePartition(image: MetadataImage, reference: TopicReference, partition: number): Place {
  const topic = resolveTopic(image, reference);
  if ('errorCode' in topic) return topic;
  if (partition < 0 || partition >= topic.partitions.length) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
  }
  return { shard: shardOf(topic, partition) };
}

/** As {@link resolvePartition}, for a client's records: what coordinators keep is written by them alone. */
export function resolveWritable(image: MetadataImage, reference: TopicReference, partition: number): Place {
  const topic = resolveTopic(image, reference);
  if ('name' in topic && isInternalTopic(topic.name)) {
    return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION };
  }
  return resolvePartition(image, reference, partition);
}
