import { ErrorCode } from '../../model/errors.ts';
import { CLUSTER_METADATA_TOPIC, ZERO_UUID } from '../../model/ids.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { type ListOffsetsResponse, listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import { type DescribeQuorumRequest, describeQuorumApi } from '../../wire/apis/55-describe-quorum.ts';
import { type Call } from '../call.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';
import { brokerOf } from './03-metadata.ts';

const LATEST = -1;

/**
 * The quorum of one: this node leads the metadata log, and has all of it. Its endpoint is the one the client came in
 * on, as there is none for controllers.
 */
export const describeQuorum = handler({
  api: describeQuorumApi,
  min: 0,
  max: 2,
  handle(call, request) {
    if (!isOfMetadata(request)) return refuse(call, request, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: LATEST };
    const body = {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: CLUSTER_METADATA_TOPIC, partitions: [partition] }],
      timeoutMs: 0,
    };
    call.askAs(listOffsetsApi.key, listOffsetsApi.versions.max, METADATA_SHARD, body, (reply) => {
      const errorCode = controllerError(reply);
      if (errorCode !== undefined) return refuse(call, request, errorCode);
      const found = (reply.body as ListOffsetsResponse).topics[0]?.partitions[0];
      const { offset: highWatermark = -1, leaderEpoch = -1 } = found ?? {};
      answer(call, { highWatermark, leaderEpoch });
    });
  },
});

function isOfMetadata({ topics }: DescribeQuorumRequest): boolean {
  const [topic] = topics;
  if (topics.length !== 1 || topic?.topicName !== CLUSTER_METADATA_TOPIC) return false;
  return topic.partitions.length === 1 && topic.partitions[0]?.partitionIndex === 0;
}

function answer(call: Call, log: { highWatermark: number; leaderEpoch: number }): void {
  const { image, clock } = call.gateway;
  const { nodeId, host, port } = brokerOf(call);
  const nowMs = clock.now();
  const voter = {
    replicaId: nodeId,
    replicaDirectoryId: image.broker(nodeId)?.logDirs[0] ?? ZERO_UUID,
    logEndOffset: log.highWatermark,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  };
  const partition = {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    leaderId: nodeId,
    ...log,
    currentVoters: [voter],
    observers: [],
  };
  call.reply({
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions: [partition] }],
    nodes: [{ nodeId, listeners: [{ name: 'PLAINTEXT', host, port }] }],
  });
}

function refuse(call: Call, { topics }: DescribeQuorumRequest, errorCode: number): void {
  const nothing = { leaderId: -1, leaderEpoch: -1, highWatermark: -1, currentVoters: [], observers: [] };
  call.reply({
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode,
        errorMessage: null,
        ...nothing,
      })),
    })),
    nodes: [],
  });
}
