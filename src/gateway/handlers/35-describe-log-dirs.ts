import { ErrorCode } from '../../model/errors.ts';
import {
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
  describeLogDirsApi,
} from '../../wire/apis/35-describe-log-dirs.ts';
import { askPartitions } from '../ask-partitions.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';

type Topics = NonNullable<DescribeLogDirsRequest['topics']>;
type Partition = DescribeLogDirsResponse['results'][number]['topics'][number]['partitions'][number];

/** Kafka's answer when a volume is not known. */
const UNKNOWN = { totalBytes: -1, usableBytes: -1 };

/** The one log directory, and how much each partition takes in it; what is not there is left out, as by Kafka. */
export const describeLogDirs = handler({
  api: describeLogDirsApi,
  min: 1,
  max: 5,
  handle(call, request) {
    const api = {
      indexOf: (partition: number) => partition,
      unanswered: (partitionIndex: number) => ({
        errorCode: ErrorCode.NONE as number,
        partitionIndex,
        partitionSize: 0,
        offsetLag: 0,
        isFutureKey: false,
      }),
      part: ({ topic }: Topics[number], partition: number) => ({
        topics: [{ topic, partitions: [partition] }],
      }),
      answerIn: (body: unknown) =>
        (body as DescribeLogDirsResponse).results[0]?.topics[0]?.partitions[0] satisfies
          | Partition
          | undefined,
    };
    const wanted = request.topics ?? everyTopic(call);
    askPartitions(call, wanted, api, (answers) => {
      const topics = answers.flatMap(({ topic, partitions }) => {
        const there = partitions.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
        return there.length === 0 ? [] : [{ name: topic.topic, partitions: there }];
      });
      const { logDir } = call.gateway.config;
      const { totalBytes, usableBytes } = logDir.volume?.() ?? UNKNOWN;
      const found = { logDir: logDir.path, topics, totalBytes, usableBytes, isCordoned: false };
      const results = [{ errorCode: ErrorCode.NONE, ...found }];
      call.reply({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, results });
    });
  },
});

function everyTopic(call: Call): Topics {
  return call.gateway.image.topics().map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ index }) => index),
  }));
}
