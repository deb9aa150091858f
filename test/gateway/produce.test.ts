import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { type RawClient, TestBroker, batch, fetchOne, produce, produceBody } from './harness.ts';
import { FakeGateway } from './fake-gateway.ts';
import { encodeRequest, decodeResponse } from '../../src/wire/frame.ts';

let server: TestBroker;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  client = await server.client();
});
afterAll(() => server.close());

const NOBODY = { name: 'nobody', id: 'AAAAAAAAAAAAAAAAAAAAZw' };

describe('produce', () => {
  test.each([1, -1])('acks=%i tells the offset of the first record', async (acks) => {
    const topic = await server.topic(client);
    const first = await produce(client, topic, batch(['a', 'b', 'c']), { acks });
    const second = await produce(client, topic, batch(['d']), { acks });
    expect([first.errorCode, first.baseOffset, second.baseOffset]).toEqual([0, 0, 3]);
    expect([first.logAppendTimeMs, first.logStartOffset]).toEqual([-1, 0]);
  });

  test('acks=0 is silent: the next answer belongs to the next request', async () => {
    const topic = await server.topic(client);
    client.post(produceApi, 12, produceBody(topic, batch(['a', 'b']), { acks: 0 }));
    const next = await produce(client, topic, batch(['c']));
    expect(next.baseOffset).toBe(2);
  });

  test('acks=0 with an error closes the connection: the only sign there is', async () => {
    const unlucky = await server.client();
    const before = server.closedFor('acks_0_failed');
    unlucky.post(produceApi, 12, produceBody(NOBODY, batch(['a']), { acks: 0 }));
    await unlucky.closed;
    expect(server.closedFor('acks_0_failed')).toBe(before + 1);
  });

  test.each([2, -2, 1000])('acks=%i', async (acks) => {
    const topic = await server.topic(client);
    const refused = await produce(client, topic, batch(['a']), { acks });
    expect(refused.errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS);
  });

  test('many partitions of many topics, each with its own answer, in request order', async () => {
    const topics = [await server.topic(client, { partitions: 2 }), NOBODY, await server.topic(client)];
    const response = await client.send(produceApi, 12, {
      acks: -1,
      timeoutMs: 5_000,
      topicData: topics.map(({ name, id }) => ({
        name,
        topicId: id,
        partitionData: [1, 0].map((index) => ({ index, records: batch([name]) })),
      })),
    });
    const codes = response.responses.map(({ name, partitionResponses }) => [
      name,
      ...partitionResponses.map(({ index, errorCode }) => [index, errorCode]),
    ]);
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(codes).toEqual([
      [topics[0]?.name, [1, 0], [0, 0]],
      ['nobody', [1, unknown], [0, unknown]],
      [topics[2]?.name, [1, unknown], [0, 0]],
    ]);
  });

  test('by topic id', async () => {
    const topic = await server.topic(client);
    expect((await produce(client, topic, batch(['a']), { version: 13 })).errorCode).toBe(0);
    const unknown = await produce(client, NOBODY, batch(['a']), { version: 13 });
    expect(unknown.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  test('a retried idempotent batch gets its first offset; a gap is refused', async () => {
    const topic = await server.topic(client);
    const { producerId } = await client.send(initProducerIdApi, 4, {
      transactionalId: null,
      transactionTimeoutMs: 1_000,
    });
    const numbered = (baseSequence: number) => batch(['x'], { producerId, producerEpoch: 0, baseSequence });
    const send = (baseSequence: number) => produce(client, topic, numbered(baseSequence));
    const answers = await Promise.all([send(0), send(1), send(0), send(1), send(5)]);
    expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 1],
      [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
    ]);
  });

  test('the log of a coordinator is not for clients', async () => {
    await client.send(findCoordinatorApi, 4, { coordinatorKeys: ['group'] });
    const { topics } = await client.send(metadataApi, 12, { topics: [{ name: '__consumer_offsets' }] });
    const offsets = { name: '__consumer_offsets', id: topics[0]?.topicId ?? '' };
    for (const version of [12, 13]) {
      const refused = await produce(client, offsets, batch(['a']), { version });
      expect(refused.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    }
    expect((await fetchOne(client, { topic: offsets })).highWatermark).toBe(0);
  });

  test('a batch of a transaction needs a transactional id', async () => {
    const topic = await server.topic(client);
    const bytes = buildBatch(new TwinKernels(), {
      records: [{ value: 'a', timestamp: Date.now() }],
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    });
    const response = await client.send(produceApi, 12, produceBody(topic, bytes));
    expect(response.responses[0]?.partitionResponses[0]?.errorCode).toBe(
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    );
  });
});

describe('timeout', () => {
  test('partitions that have not answered in time say so; those that have keep their answer', () => {
    const fake = new FakeGateway();
    const topic = { name: 'slow', id: 'AAAAAAAAAAAAAAAAAAAABw' };
    fake.addTopic(topic, 2);
    const { socket, connection } = fake.connect();
    const partitionData = [0, 1].map((index) => ({ index, records: batch(['a']) }));
    const body = {
      acks: -1,
      timeoutMs: 300,
      topicData: [{ name: topic.name, topicId: topic.id, partitionData }],
    };
    connection.receive(encodeRequest(produceApi, 12, { correlationId: 5, clientId: null }, body));
    expect(fake.link.asked.map(({ shard }) => shard)).toEqual([`d/${topic.id}/0`, `d/${topic.id}/1`]);
    const quick = { index: 1, errorCode: 0, baseOffset: 42 };
    fake.answer(1, { responses: [{ name: 'slow', topicId: '', partitionResponses: [quick] }] });
    fake.clock.advance(299);
    expect(socket.frames).toEqual([]);
    fake.clock.advance(1);
    const [frame = new Uint8Array()] = socket.frames;
    const [answered] = decodeResponse(produceApi, 12, frame).body.responses;
    expect(answered?.partitionResponses.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [ErrorCode.REQUEST_TIMED_OUT, -1],
      [0, 42],
    ]);
    expect(fake.link.cancelled).toEqual([fake.link.asked[0]?.from]);
  });
});
