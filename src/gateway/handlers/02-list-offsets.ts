import {
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  listOffsetsApi,
} from '../../wire/apis/02-list-offsets.ts';
import { askPartitions } from '../ask-partitions.ts';
import { handler } from '../handler.ts';

type Topic = ListOffsetsRequest['topics'][number];
type Partition = Topic['partitions'][number];
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number];

/** Offsets by time, partition by partition. Left out: v0 (a list of segment starts). */
export const listOffsets = handler({
  api: listOffsetsApi,
  min: 1,
  max: 11,
  handle(call, request) {
    askPartitions<Topic, Partition, PartitionResponse>(
      call,
      request.topics,
      {
        indexOf: ({ partitionIndex }) => partitionIndex,
        unanswered,
        part: (topic, partition) => ({ ...request, topics: [{ ...topic, partitions: [partition] }] }),
        answerIn: (body) => (body as ListOffsetsResponse).topics[0]?.partitions[0],
      },
      (answers) => {
        const topics = answers.map(({ topic, partitions }) => ({ name: topic.name, partitions }));
        call.reply({ throttleTimeMs: 0, topics });
      },
    );
  },
});

export function unanswered({ partitionIndex }: Partition): PartitionResponse {
  return { partitionIndex, errorCode: 0, oldStyleOffsets: [], timestamp: -1, offset: -1, leaderEpoch: -1 };
}
