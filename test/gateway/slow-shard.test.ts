import { expect, test } from 'vitest';
import type { ShardRequest } from '../../src/ports/shard-link.ts';
import { type FetchRequest, fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import { FakeGateway } from './fake-gateway.ts';

const VERSION = 12;
const TOPIC = { name: 'topic', id: 'AAAAAAAAAAAAAAAAAAAAZw' };

function request(): Uint8Array {
  const partition = { fetchOffset: 5, partitionMaxBytes: 1_000 };
  const partitions = [
    { partition: 0, ...partition },
    { partition: 1, ...partition },
  ];
  return encodeRequest(
    fetchApi,
    VERSION,
    { correlationId: 1, clientId: null },
    {
      maxWaitMs: 10_000,
      minBytes: 1,
      topics: [{ topic: TOPIC.name, partitions }],
      forgottenTopicsData: [],
      rackId: '',
    },
  );
}

/** What a shard says of its partition. */
function answer(asked: ShardRequest, records: Uint8Array) {
  const partition = (asked.body as FetchRequest).topics[0]?.partitions[0]?.partition;
  const found = { partitionIndex: partition, errorCode: 0, highWatermark: 7, logStartOffset: 0, records };
  return { responses: [{ partitions: [found] }] };
}

test('a fetch waits for the shard that has not said anything yet, even when another has records by then', () => {
  const fake = new FakeGateway();
  fake.addTopic(TOPIC, 2);
  const { socket, connection } = fake.connect();
  connection.receive(request());
  const [first, second] = fake.link.asked;
  if (first === undefined || second === undefined) throw new Error('both shards are asked');

  fake.gateway.receive({ to: first.from, body: answer(first, new Uint8Array(0)), parked: true });
  fake.gateway.receive({ to: first.from, body: answer(first, new Uint8Array(70)) });
  expect(socket.frames).toEqual([]);

  fake.gateway.receive({ to: second.from, body: answer(second, new Uint8Array(0)), parked: true });
  const { body } = decodeResponse(fetchApi, VERSION, socket.frames[0] ?? new Uint8Array(0));
  const found = body.responses.flatMap(({ partitions }) => partitions);
  expect(found.map(({ highWatermark }) => highWatermark)).toEqual([7, 7]);
  expect(found.map(({ records }) => records?.length)).toEqual([70, 0]);
});
