import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import type { RawClient } from '../gateway/harness.ts';

interface Position {
  groupId: string;
  topic: { name: string; id: string };
  offset: number;
}

/** Where a group without members stands in partition 0. */
export async function commitOffset(client: RawClient, { groupId, topic, offset }: Position): Promise<void> {
  await client.send(findCoordinatorApi, 4, { coordinatorKeys: [groupId] });
  const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }];
  const { topics } = await client.send(offsetCommitApi, 8, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: topic.name, topicId: topic.id, partitions }],
  });
  const code = topics[0]?.partitions[0]?.errorCode;
  if (code !== 0) throw new Error(`${groupId}: the offset was refused with ${code}`);
}
