import { ErrorCode } from '../../model/errors.ts';
import { describeShareGroupOffsetsApi } from '../../wire/apis/90-describe-share-group-offsets.ts';
import { type AdminOptions, allOf, type AskBroker, type Asking, outcomeOf } from './asking.ts';

const VERSIONS = { min: 0, max: 1 };

/** Where a share group is in one partition. */
export interface ShareGroupOffset {
  topic: string;
  partition: number;
  /** All before it is done; -1 while it has read nothing. */
  startOffset: number;
  /** What is not done; -1 where the broker does not say. */
  lag: number;
}

/** @throws MilenaError GROUP_ID_NOT_FOUND */
export async function shareOffsetsOf(
  asking: Asking,
  groupId: string,
  { signal }: AdminOptions,
): Promise<ShareGroupOffset[]> {
  const ask: AskBroker<string, ShareGroupOffset[]> = async (broker, groupIds) => {
    const request = { groups: groupIds.map((one) => ({ groupId: one, topics: null })) };
    const { groups } = await broker.request(describeShareGroupOffsetsApi, VERSIONS, request, { signal });
    return new Map(
      groups.map((group) => {
        const value = group.topics.flatMap(({ topicName: topic, partitions }) =>
          partitions
            .filter(({ errorCode }) => errorCode === ErrorCode.NONE)
            .map(({ partitionIndex: partition, startOffset, lag }) => ({
              topic,
              partition,
              startOffset,
              lag,
            })),
        );
        return [group.groupId, outcomeOf(group, { where: `group ${group.groupId}`, value })];
      }),
    );
  };
  const [found = []] = allOf((await asking.ofGroups([groupId], ask, { signal })).values());
  return found;
}
