import {
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
  writeTxnMarkersApi,
} from '../../wire/apis/27-write-txn-markers.ts';
import { askPartitions } from '../ask-partitions.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';

type Marker = WriteTxnMarkersRequest['markers'][number];
type Written = WriteTxnMarkersResponse['markers'][number];
type PartitionResponse = Written['topics'][number]['partitions'][number];

/**
 * Ends transactions in partitions, each by its own shard. Coordinators of ours ask the shards themselves; this is for
 * people who end a transaction that hangs (`kafka-transactions abort`).
 */
export const writeTxnMarkers = handler({
  api: writeTxnMarkersApi,
  min: 1,
  max: 2,
  handle(call, { markers }) {
    const written: Written[] = markers.map(({ producerId }) => ({ producerId, topics: [] }));
    const gather = new Gather(() => call.reply({ markers: written }));
    for (const [number, marker] of markers.entries()) {
      const asked = marker.topics.map(({ name, partitionIndexes: partitions }) => ({ name, partitions }));
      gather.enter();
      askPartitions<(typeof asked)[number], number, PartitionResponse>(
        call,
        asked,
        {
          indexOf: (partitionIndex) => partitionIndex,
          unanswered: (partitionIndex) => ({ partitionIndex, errorCode: 0 }),
          part: ({ name }, partitionIndex) => onePartition(marker, name, partitionIndex),
          answerIn: (body) => (body as WriteTxnMarkersResponse).markers[0]?.topics[0]?.partitions[0],
        },
        (answers) => {
          const topics = answers.map(({ topic, partitions }) => ({ name: topic.name, partitions }));
          written[number] = { producerId: marker.producerId, topics };
          gather.leave();
        },
      );
    }
    gather.seal();
  },
});

function onePartition(marker: Marker, name: string, partitionIndex: number): WriteTxnMarkersRequest {
  return { markers: [{ ...marker, topics: [{ name, partitionIndexes: [partitionIndex] }] }] };
}
