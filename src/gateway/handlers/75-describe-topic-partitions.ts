import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { brokerConfigNumber } from '../../metadata/configs/effective.ts';
import { describeTopicPartitions as describe } from '../../metadata/describe-topic-partitions.ts';
import { answering } from '../../metadata/outcome.ts';
import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { AclResource } from '../../security/acl.ts';
import {
  type DescribeTopicPartitionsResponse,
  describeTopicPartitionsApi,
} from '../../wire/apis/75-describe-topic-partitions.ts';
import { authorizedOperations } from '../access/operations.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata, a page at a time (KIP-966). */
export const describeTopicPartitions = handler({
  api: describeTopicPartitionsApi,
  min: 0,
  max: 0,
  handle(call, request) {
    const { image, config } = call.gateway;
    const layers = { image, nodeId: config.nodeId, staticConfigs: config.staticConfigs };
    const partitionsMax = brokerConfigNumber(layers, 'max.request.partition.size.limit');
    call.reply(
      answering<DescribeTopicPartitionsResponse>(
        () => withOperations(call, describe(image, request, { partitionsMax })),
        ({ code: errorCode }) => ({
          throttleTimeMs: 0,
          topics: request.topics.map(({ name }) => refused(name, errorCode)),
          nextCursor: null,
        }),
      ),
    );
  },
});

function withOperations(
  call: Call,
  { topics, ...rest }: DescribeTopicPartitionsResponse,
): DescribeTopicPartitionsResponse {
  const of = (name: string | null) =>
    authorizedOperations(call, true, { type: AclResource.TOPIC, name: name ?? '' });
  const withThem = topics.map((topic) =>
    topic.errorCode === ErrorCode.NONE ? { ...topic, topicAuthorizedOperations: of(topic.name) } : topic,
  );
  return { topics: withThem, ...rest };
}

export function refused(name: string, errorCode: number) {
  const nothing = { topicId: ZERO_UUID, isInternal: false, partitions: [] };
  return { errorCode, name, ...nothing, topicAuthorizedOperations: OPERATIONS_NOT_ASKED };
}
