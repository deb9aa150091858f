import { ErrorCode } from '../model/errors.ts';
import type { Uuid } from '../model/ids.ts';
import type { StatePart } from './share-asks.ts';
import type { SharedTopic } from './share-group.ts';
import { recordShare, type ShareTurn, statesValue } from './share-replay.ts';

/** Of a state that says nothing of where to begin: the partition's leader finds that out. */
const NO_START_OFFSET = -1;

function keyOf({ topicId, partition }: { topicId: Uuid; partition: number }): string {
  return `${topicId}/${partition}`;
}

/**
 * Partitions that members have need a state at their share coordinator; readers wait for it. One that is there already
 * stays as it is: it was made before a crash of ours.
 */
export function initializeStates(at: ShareTurn): void {
  const { context, turn, group, share } = at;
  const parts: StatePart[] = [];
  for (const name of share.subscribedTopics) {
    const topic = context.cluster.topic(name);
    for (let partition = 0; partition < (topic?.partitions.length ?? 0); partition++) {
      const part = { topicId: topic?.id ?? '', partition };
      if (share.isInitialized(part.topicId, partition) || share.underWay.has(keyOf(part))) continue;
      share.underWay.add(keyOf(part));
      parts.push({ ...part, stateEpoch: share.epoch, startOffset: NO_START_OFFSET });
    }
  }
  if (parts.length === 0) return;
  const { groupId } = group;
  context.shareAsks.begin(turn, { groupId, kind: 'initialize', parts }, (later, results) => {
    for (const part of parts) share.underWay.delete(keyOf(part));
    // The group was deleted meanwhile, and is perhaps there again.
    if (group.share !== share) return;
    const made = results.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
    if (made.length > 0) noteInitialized({ ...at, turn: later }, made);
  });
}

/** These partitions have states now. */
export function noteInitialized(at: ShareTurn, made: readonly { topicId: Uuid; partition: number }[]): void {
  const { context, group, share } = at;
  const initialized = new Map<Uuid, SharedTopic>(share.initialized);
  for (const { topicId, partition } of made) {
    const known = initialized.get(topicId);
    const topicName = known?.topicName ?? context.cluster.topicById(topicId)?.name;
    if (topicName === undefined) continue;
    initialized.set(topicId, { topicName, partitions: new Set([...(known?.partitions ?? []), partition]) });
  }
  const value = statesValue({ initialized, deleting: share.deleting });
  recordShare(at, { type: 'shareStates', group: group.groupId, value });
}

/** Of these topics there are no states any more. */
export function noteDeleted(at: ShareTurn, topicIds: readonly Uuid[]): void {
  const { group, share } = at;
  const initialized = new Map(share.initialized);
  const deleting = new Map(share.deleting);
  for (const topicId of topicIds) {
    initialized.delete(topicId);
    deleting.delete(topicId);
  }
  recordShare(at, {
    type: 'shareStates',
    group: group.groupId,
    value: statesValue({ initialized, deleting }),
  });
}

/** Every state the group has, of these topics, or of all. */
export function statesOf({ share }: Pick<ShareTurn, 'share'>, topicIds?: readonly Uuid[]): StatePart[] {
  const parts: StatePart[] = [];
  for (const [topicId, { partitions }] of share.initialized)
    if (topicIds?.includes(topicId) !== false)
      for (const partition of partitions) parts.push({ topicId, partition });
  return parts;
}
