import {
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochApi,
} from '../../wire/apis/23-offset-for-leader-epoch.ts';
import { askPartitions } from '../ask-partitions.ts';
import { handler } from '../handler.ts';

type Topic = OffsetForLeaderEpochRequest['topics'][number];
type Partition = Topic['partitions'][number];
type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

/** Where leader epochs end, partition by partition (KIP-320). */
export const offsetForLeaderEpoch = handler({
  api: offsetForLeaderEpochApi,
  min: 2,
  max: 4,
  handle(call, request) {
    askPartitions<Topic, Partition, PartitionResponse>(
      call,
      request.topics,
      {
        indexOf: ({ partition }) => partition,
        unanswered,
        part: (topic, partition) => ({ ...request, topics: [{ ...topic, partitions: [partition] }] }),
        answerIn: (body) => (body as OffsetForLeaderEpochResponse).topics[0]?.partitions[0],
      },
      (answers) => {
        const topics = answers.map(({ topic, partitions }) => ({ topic: topic.topic, partitions }));
        call.reply({ throttleTimeMs: 0, topics });
      },
    );
  },
});

export function unanswered({ partition }: Partition): PartitionResponse {
  return { errorCode: 0, partition, leaderEpoch: -1, endOffset: -1 };
}
