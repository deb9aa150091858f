import {
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  deleteRecordsApi,
} from '../../wire/apis/21-delete-records.ts';
import { askPartitions } from '../ask-partitions.ts';
import { handler } from '../handler.ts';
import { resolveWritable } from '../topics.ts';

type Topic = DeleteRecordsRequest['topics'][number];
type Partition = Topic['partitions'][number];
type PartitionResponse = DeleteRecordsResponse['topics'][number]['partitions'][number];

/** Moves the start of logs forward, partition by partition. What coordinators keep is not for clients to delete. */
export const deleteRecords = handler({
  api: deleteRecordsApi,
  min: 0,
  max: 2,
  handle(call, request) {
    askPartitions<Topic, Partition, PartitionResponse>(
      call,
      request.topics,
      {
        resolve: resolveWritable,
        indexOf: ({ partitionIndex }) => partitionIndex,
        unanswered: ({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode: 0 }),
        part: (topic, partition) => ({ ...request, topics: [{ ...topic, partitions: [partition] }] }),
        answerIn: (body) => (body as DeleteRecordsResponse).topics[0]?.partitions[0],
      },
      (answers) => {
        const topics = answers.map(({ topic, partitions }) => ({ name: topic.name, partitions }));
        call.reply({ throttleTimeMs: 0, topics });
      },
    );
  },
});
