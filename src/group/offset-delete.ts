import { ErrorCode } from '../model/errors.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../wire/apis/47-offset-delete.ts';
import { CONSUMER_PROTOCOL } from '../wire/consumer-protocol.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { offsetRecord } from './records.ts';
import { subscribedTopics } from './subscription.ts';

/**
 * Deletes positions of a group in some partitions (KIP-496); one that is not there is deleted already. What members of
 * consumers read goes on, so its positions stay; any other group must be without members.
 */
export function decideOffsetDelete(
  context: Context,
  turn: Turn,
  { from, body }: Asked<OffsetDeleteRequest>,
): void {
  const { groupId } = body;
  const group = context.groups.get(groupId);
  const errorCode = validate(groupId, group);
  const answer = (topics: OffsetDeleteResponse['topics']) =>
    turn.reply(from, { throttleTimeMs: 0, errorCode, topics } satisfies OffsetDeleteResponse);
  if (group === undefined || errorCode !== ErrorCode.NONE) return answer([]);
  const topics = body.topics.map(({ name, partitions }) => {
    const code = isRead(group, name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE;
    if (code === ErrorCode.NONE) forget(turn, group, { topic: name, partitions });
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    };
  });
  answer(topics);
}

function validate(groupId: string, group: Group | undefined): number {
  if (groupId === '') return ErrorCode.INVALID_GROUP_ID;
  if (group === undefined || group.share) return ErrorCode.GROUP_ID_NOT_FOUND;
  return group.state === 'Empty' || isOfConsumers(group) ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP;
}

function isOfConsumers({ protocolType, consumer }: Group): boolean {
  return consumer !== undefined || protocolType === CONSUMER_PROTOCOL;
}

/** What cannot be known of members of consumers is taken for read. */
function isRead(group: Group, topic: string): boolean {
  if (group.consumer) return group.consumer.subscribedTopics.has(topic);
  if (group.members.size === 0) return false;
  return subscribedTopics(group)?.has(topic) ?? isOfConsumers(group);
}

function forget(
  turn: Turn,
  group: Group,
  { topic, partitions }: { topic: string; partitions: readonly { partitionIndex: number }[] },
): void {
  const known = group.offsets.get(topic);
  for (const partition of new Set(partitions.map(({ partitionIndex }) => partitionIndex))) {
    if (known?.has(partition)) turn.write(offsetRecord({ group: group.groupId, topic, partition }, null));
  }
}
