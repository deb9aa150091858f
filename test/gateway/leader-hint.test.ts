import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import { FakeGateway, type ManualSocket } from './fake-gateway.ts';
import { fetchBody, produceBody } from './harness.ts';

const TOPIC = { name: 'moved', id: 'AAAAAAAAAAAAAAAAAAAABw' };
const HEADER = { correlationId: 1, clientId: null };
const NOBODY = { leaderId: -1, leaderEpoch: -1 };
const LED_BY = { leaderId: 1, leaderEpoch: 0 };

/** What a client is told when the shard answers with this error: who leads, and where that is. */
type Ask = (version: number, errorCode: number) => [object | undefined, number[]];

/** The client's end, once its request has been answered by the shard. */
function asked(errorCode: number, request: Uint8Array): ManualSocket {
  const fake = new FakeGateway();
  fake.addTopic(TOPIC, 1);
  const { socket, connection } = fake.connect();
  connection.receive(request);
  const [part] = fake.link.asked;
  if (part !== undefined) fake.gateway.receive({ to: part.from, body: undefined, errorCode });
  return socket;
}

const produce: Ask = (version, errorCode) => {
  const body = produceBody(TOPIC, new Uint8Array(61));
  const socket = asked(errorCode, encodeRequest(produceApi, version, HEADER, body));
  const answer = decodeResponse(produceApi, version, socket.frames[0] ?? new Uint8Array(0)).body;
  const nodes = answer.nodeEndpoints.map(({ nodeId }) => nodeId);
  return [answer.responses[0]?.partitionResponses[0]?.currentLeader, nodes];
};

const fetch: Ask = (version, errorCode) => {
  const body = fetchBody([{ topic: TOPIC }]);
  const socket = asked(errorCode, encodeRequest(fetchApi, version, HEADER, body));
  const answer = decodeResponse(fetchApi, version, socket.frames[0] ?? new Uint8Array(0)).body;
  return [
    answer.responses[0]?.partitions[0]?.currentLeader,
    answer.nodeEndpoints.map(({ nodeId }) => nodeId),
  ];
};

describe.each<[string, Ask, number]>([
  ['Produce', produce, 10],
  ['Fetch', fetch, 16],
])('%s', (_, ask, since) => {
  test.each([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH])(
    'with code %i tells who leads, from the version on that can say it',
    (errorCode) => {
      expect(ask(since, errorCode)).toEqual([LED_BY, [1]]);
      expect(ask(since - 1, errorCode)).toEqual([NOBODY, []]);
    },
  );

  test('with another code it does not', () => {
    expect(ask(since, ErrorCode.UNKNOWN_LEADER_EPOCH)).toEqual([NOBODY, []]);
  });
});

test.each([
  [5, ErrorCode.NOT_LEADER_OR_FOLLOWER],
  [6, ErrorCode.KAFKA_STORAGE_ERROR],
])('Fetch v%i says of a storage that failed what its clients try again', (version, said) => {
  const request = encodeRequest(fetchApi, version, HEADER, fetchBody([{ topic: TOPIC }]));
  const [frame] = asked(ErrorCode.KAFKA_STORAGE_ERROR, request).frames;
  expect.assert(frame !== undefined);
  const { responses } = decodeResponse(fetchApi, version, frame).body;
  expect(responses[0]?.partitions[0]?.errorCode).toBe(said);
});
