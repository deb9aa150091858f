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

/** Errors tell who leads instead, and where that is (KIP-951). */
const LEADERS_VERSION = 10;

/**
 * Appends. Each partition's batch goes to its shard; the answer waits for all, at most `timeoutMs` (7 for those that
 * have not answered). With acks=0 there is no answer, and an error closes the connection: the only signal there is.
 * Left out: transactional producers.
 */
export const produce = handler({
  api: produceApi,
  min: 3,
  max: 13,
  advertisedMin: 0,
  handle(call, request) {
    if (request.acks < -1 || request.acks > 1)
      return refuseAll(call, request, ErrorCode.INVALID_REQUIRED_ACKS);
    if (request.transactionalId !== null) return refuseAll(call, request, ErrorCode.INVALID_TXN_STATE);
    const responses: ProduceResponse['responses'] = [];
    const gather = new Gather(() => answer(call, request, responses));
    for (const topic of request.topicData) {
      const partitionResponses: PartitionResponse[] = [];
      responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses });
      for (const partition of topic.partitionData) {
        const response = refused(partition.index, ErrorCode.REQUEST_TIMED_OUT);
        partitionResponses.push(response);
        const place = resolveWritable(call.gateway.image, topic, partition.index);
        if ('errorCode' in place) {
          response.errorCode = place.errorCode;
          continue;
        }
        gather.enter();
        call.ask(place.shard, onePartition(request, topic, partition), (reply) => {
          merge(response, reply);
          if (call.version >= LEADERS_VERSION) {
            response.currentLeader = leaderHint(call, topic, partition.index, response.errorCode);
          }
          gather.leave();
        });
      }
    }
    gather.seal();
    if (!call.done)
      call.wakeAt(call.gateway.clock.now() + request.timeoutMs, () => answer(call, request, responses));
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

function merge(response: PartitionResponse, reply: ShardReply): void {
  if (reply.errorCode !== undefined) {
    response.errorCode = reply.errorCode;
    return;
  }
  const answered = (reply.body as ProduceResponse).responses[0]?.partitionResponses[0];
  if (answered !== undefined) Object.assign(response, answered);
}

function answer(call: Call, request: ProduceRequest, responses: ProduceResponse['responses']): void {
  const failed = responses.flatMap((topic) =>
    topic.partitionResponses.filter((partition) => partition.errorCode !== 0),
  );
  if (request.acks !== 0) {
    return call.reply({ responses, throttleTimeMs: 0, nodeEndpoints: leaderEndpoints(call, failed) });
  }
  if (failed.length > 0) call.close('acks_0_failed');
  else call.silent();
}

function refuseAll(call: Call, request: ProduceRequest, errorCode: number): void {
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => refused(index, errorCode)),
  }));
  answer(call, request, responses);
}

function refused(index: number, errorCode: number): PartitionResponse {
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
