import {
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochApi,
} from '../../wire/apis/23-offset-for-leader-epoch.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';
import { resolvePartition } from '../topics.ts';

/** Where leader epochs end, partition by partition (KIP-320). */
export const offsetForLeaderEpoch = handler({
  api: offsetForLeaderEpochApi,
  min: 2,
  max: 4,
  handle(call, request) {
    const topics: OffsetForLeaderEpochResponse['topics'] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, topics }));
    for (const topic of request.topics) {
      const partitions: OffsetForLeaderEpochResponse['topics'][number]['partitions'] = [];
      topics.push({ topic: topic.topic, partitions });
      for (const partition of topic.partitions) {
        const response = { errorCode: 0, partition: partition.partition, leaderEpoch: -1, endOffset: -1 };
        partitions.push(response);
        const place = resolvePartition(call.gateway.image, topic, partition.partition);
        if ('errorCode' in place) {
          response.errorCode = place.errorCode;
          continue;
        }
        gather.enter();
        const part = { ...request, topics: [{ ...topic, partitions: [partition] }] };
        call.ask(place.shard, part, (reply) => {
          if (reply.errorCode !== undefined) response.errorCode = reply.errorCode;
          else Object.assign(response, (reply.body as OffsetForLeaderEpochResponse).topics[0]?.partitions[0]);
          gather.leave();
        });
      }
    }
    gather.seal();
  },
});
