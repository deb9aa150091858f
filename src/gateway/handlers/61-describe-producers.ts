import {
  type DescribeProducersResponse,
  describeProducersApi,
} from '../../wire/apis/61-describe-producers.ts';
import { askPartitions } from '../ask-partitions.ts';
import { handler } from '../handler.ts';

type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number];

/** What partitions know of their producers: epochs, sequences, open transactions. */
export const describeProducers = handler({
  api: describeProducersApi,
  min: 0,
  max: 0,
  handle(call, { topics }) {
    const asked = topics.map(({ name, partitionIndexes: partitions }) => ({ name, partitions }));
    askPartitions<(typeof asked)[number], number, PartitionResponse>(
      call,
      asked,
      {
        indexOf: (partitionIndex) => partitionIndex,
        unanswered: (partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          errorMessage: null,
          activeProducers: [],
        }),
        part: ({ name }, partitionIndex) => ({ topics: [{ name, partitionIndexes: [partitionIndex] }] }),
        answerIn: (body) => (body as DescribeProducersResponse).topics[0]?.partitions[0],
      },
      (answers) => {
        const described = answers.map(({ topic, partitions }) => ({ name: topic.name, partitions }));
        call.reply({ throttleTimeMs: 0, topics: described });
      },
    );
  },
});
