import { type ListOffsetsResponse, listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';
import { resolvePartition } from '../topics.ts';

/** Offsets by time, partition by partition. Left out: v0 (a list of segment starts). */
export const listOffsets = handler({
  api: listOffsetsApi,
  min: 1,
  max: 11,
  handle(call, request) {
    const topics: ListOffsetsResponse['topics'] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, topics }));
    for (const topic of request.topics) {
      const partitions: ListOffsetsResponse['topics'][number]['partitions'] = [];
      topics.push({ name: topic.name, partitions });
      for (const partition of topic.partitions) {
        const response = {
          partitionIndex: partition.partitionIndex,
          errorCode: 0,
          oldStyleOffsets: [],
          timestamp: -1,
          offset: -1,
          leaderEpoch: -1,
        };
        partitions.push(response);
        const place = resolvePartition(call.gateway.image, topic, partition.partitionIndex);
        if ('errorCode' in place) {
          response.errorCode = place.errorCode;
          continue;
        }
        gather.enter();
        const part = { ...request, topics: [{ ...topic, partitions: [partition] }] };
        call.ask(place.shard, part, (reply) => {
          if (reply.errorCode !== undefined) response.errorCode = reply.errorCode;
          else Object.assign(response, (reply.body as ListOffsetsResponse).topics[0]?.partitions[0]);
          gather.leave();
        });
      }
    }
    gather.seal();
  },
});
