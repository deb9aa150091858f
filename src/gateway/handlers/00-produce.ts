import { ErrorCode } from '../../model/errors.ts';
import type { ShardReply } from '../../ports/shard-link.ts';
import { type ProduceRequest, type ProduceResponse, produceApi } from '../../wire/apis/00-produce.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';
import { leaderEndpoints, leaderHint } from '../leader-hint.ts';
import { resolveWritable } from '../topics.ts';

type Partition = ProduceRequest['topicData'][number]['partitionData'][number];
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number];
type Answer = PartitionResponse | undefined;

/** Errors tell who leads instead, and where that is (KIP-951). */
const LEADERS_VERSION = 10;

/**
 * Appends. Each partition's batch goes to its shard; the answer waits for all, at most `timeoutMs` (7 for those that
 * have not answered). With acks=0 there is no answer, and an error closes the connection: the only signal there is.
 */
export const produce = handler({
  api: produceApi,
  min: 3,
  max: 13,
  advertisedMin: 0,
  handle(call, request) {
    if (request.acks < -1 || request.acks > 1)
      return answer(call, request, [], ErrorCode.INVALID_REQUIRED_ACKS);
    const answered = request.topicData.map((): Answer[] => []);
    const gather = new Gather(() => answer(call, request, answered));
    request.topicData.forEach((topic, at) => {
      const answers = answered[at] ?? [];
      topic.partitionData.forEach((partition, number) => {
        const place = resolveWritable(call.gateway.image, topic, partition.index);
        if ('errorCode' in place) {
          answers[number] = refusedPartition(partition.index, place.errorCode);
          return;
        }
        gather.enter();
        call.ask(place.shard, onePartition(request, topic, partition), (reply) => {
          const response = answeredIn(reply, partition.index);
          // A shard that is short of room slows its producers down.
          const { throttleTimeMs = 0 } = (reply.body as ProduceResponse | undefined) ?? {};
          call.throttleMs = Math.max(call.throttleMs, throttleTimeMs);
          if (call.version >= LEADERS_VERSION) {
            response.currentLeader = leaderHint(call, topic, partition.index, response.errorCode);
          }
          answers[number] = response;
          gather.leave();
        });
      });
    });
    gather.seal();
    if (!call.done)
      call.wakeAt(call.gateway.clock.now() + request.timeoutMs, () => answer(call, request, answered));
  },
});

function onePartition(
  request: ProduceRequest,
  topic: ProduceRequest['topicData'][number],
  partition: Partition,
): ProduceRequest {
  return {
    transactionalId: request.transactionalId,
    acks: request.acks,
    timeoutMs: request.timeoutMs,
    topicData: [{ name: topic.name, topicId: topic.topicId, partitionData: [partition] }],
  };
}

function answeredIn({ body, errorCode }: ShardReply, index: number): PartitionResponse {
  const answered = (body as ProduceResponse | undefined)?.responses[0]?.partitionResponses[0];
  return answered ?? refusedPartition(index, errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR);
}

/** @param answered by topic and partition of the request; what has no answer by now gets `otherwise`. */
function answer(
  call: Call,
  request: ProduceRequest,
  answered: readonly Answer[][],
  otherwise: number = ErrorCode.REQUEST_TIMED_OUT,
): void {
  const failed: PartitionResponse[] = [];
  const responses = request.topicData.map(({ name, topicId, partitionData }, at) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }, number) => {
      const response = answered[at]?.[number] ?? refusedPartition(index, otherwise);
      if (response.errorCode !== 0) failed.push(response);
      return response;
    }),
  }));
  if (request.acks !== 0) {
    return call.reply({ responses, throttleTimeMs: 0, nodeEndpoints: leaderEndpoints(call, failed) });
  }
  if (failed.length > 0) call.close('acks_0_failed');
  else call.silent();
}

export function refusedPartition(index: number, errorCode: number): PartitionResponse {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
  };
}
