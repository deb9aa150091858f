import { describe, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { type ManualLink, FakeGateway, exclusive, overlapping, producerIdOf } from './fake-gateway.ts';
import { fetchBody } from './harness.ts';

function idsAsked(link: ManualLink): number[] {
  return link.asked.map(({ apiKey }) => apiKey);
}

describe('order', () => {
  test('requests overlap; answers go in request order', () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    for (const correlationId of [11, 12, 13]) connection.receive(overlapping(correlationId));
    expect(fake.link.asked.length).toBe(3);
    fake.answer(2);
    expect(socket.answered).toEqual([]);
    fake.answer(0);
    expect(socket.answered).toEqual([11]);
    fake.answer(1);
    expect(socket.answered).toEqual([11, 12, 13]);
    expect(socket.frames.map(producerIdOf)).toEqual([0, 1, 2]);
  });

  test('an exclusive request runs alone, as if the client had waited', () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    const [first, alone, last] = [overlapping(1), exclusive(2), overlapping(3)];
    connection.receive(new Uint8Array(Buffer.concat([first, alone, last])));
    expect(idsAsked(fake.link)).toEqual([22]);
    fake.answer(0);
    expect(idsAsked(fake.link)).toEqual([22, 19]);
    fake.answer(1);
    expect(idsAsked(fake.link)).toEqual([22, 19, 22]);
    fake.answer(2);
    expect(socket.answered).toEqual([1, 2, 3]);
  });

  test('two exclusive requests do not overlap either', () => {
    const fake = new FakeGateway();
    const { connection } = fake.connect();
    connection.receive(exclusive(1));
    connection.receive(exclusive(2));
    expect(fake.link.asked.length).toBe(1);
    fake.answer(0);
    expect(fake.link.asked.length).toBe(2);
  });

  test('connections do not wait for each other', () => {
    const fake = new FakeGateway();
    const [one, other] = [fake.connect(), fake.connect()];
    one.connection.receive(exclusive(1));
    other.connection.receive(exclusive(2));
    fake.answer(1);
    expect([one.socket.answered, other.socket.answered]).toEqual([[], [2]]);
  });
});

describe('bounds', () => {
  test('a slow reader is not read until it has read', () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    socket.full = true;
    connection.receive(overlapping(1));
    fake.answer(0);
    expect(socket.paused).toBe(true);
    connection.receive(overlapping(2));
    expect(fake.link.asked.length).toBe(1);
    socket.full = false;
    connection.drained();
    expect(socket.paused).toBe(false);
    expect(fake.link.asked.length).toBe(2);
  });

  test('beyond so many requests in flight the socket is not read', () => {
    const fake = new FakeGateway({ inFlightRequestsMax: 2 });
    const { socket, connection } = fake.connect();
    for (const correlationId of [1, 2, 3]) connection.receive(overlapping(correlationId));
    expect(fake.link.asked.length).toBe(2);
    expect(socket.paused).toBe(true);
    fake.answer(0);
    expect(fake.link.asked.length).toBe(3);
    expect(socket.paused).toBe(false);
  });

  test('beyond so many bytes in flight, too; one request always runs', () => {
    const fake = new FakeGateway({ inFlightBytesMax: 1 });
    const { socket, connection } = fake.connect();
    connection.receive(overlapping(1));
    connection.receive(overlapping(2));
    expect(fake.link.asked.length).toBe(1);
    expect(socket.paused).toBe(true);
    fake.answer(0);
    expect(fake.link.asked.length).toBe(2);
  });

  test('unfinished messages of all connections share one budget', () => {
    const fake = new FakeGateway({ unfinishedBytesMax: 10 });
    const [one, other] = [fake.connect(), fake.connect()];
    one.connection.receive(overlapping(1).subarray(0, 8));
    other.connection.receive(overlapping(2).subarray(0, 8));
    expect([one.socket.closed, other.socket.closed]).toEqual([false, true]);
    expect(fake.closedFor('memory')).toBe(1);
  });

  test.each([
    ['finishes its message', () => overlapping(1).subarray(8)],
    [
      'sends garbage after it',
      () => new Uint8Array(Buffer.concat([overlapping(1).subarray(8), Buffer.alloc(4, 0xff)])),
    ],
    ['goes', () => undefined],
  ])('a client that %s gives its share back', (_, rest) => {
    const fake = new FakeGateway({ unfinishedBytesMax: 10 });
    const { connection } = fake.connect();
    connection.receive(overlapping(1).subarray(0, 8));
    const bytes = rest();
    if (bytes === undefined) connection.ended();
    else connection.receive(bytes);
    const next = fake.connect();
    next.connection.receive(overlapping(2).subarray(0, 8));
    expect(next.socket.closed).toBe(false);
  });
});

describe('what was read for clients and not read by them', () => {
  const topic = { name: 'large', id: 'AAAAAAAAAAAAAAAAAAAABw' };
  const wanted = fetchBody([{ topic, partitionMaxBytes: 1_000 }], { maxBytes: 1_000 });
  const fetch = encodeRequest(fetchApi, 12, { correlationId: 1, clientId: null }, wanted);
  const records = (size: number) => ({
    responses: [
      {
        topic: '',
        topicId: '',
        partitions: [{ partitionIndex: 0, errorCode: 0, records: Buffer.alloc(size) }],
      },
    ],
  });
  /** What a fetch of another connection may bring now. */
  const granted = (fake: FakeGateway) => {
    const { connection } = fake.connect();
    connection.receive(fetch);
    const credit = fake.link.asked.at(-1)?.credit;
    connection.ended();
    return credit;
  };
  /** A client that does not read, and was given so many bytes. */
  const deaf = (fake: FakeGateway, size: number) => {
    const client = fake.connect();
    client.socket.full = true;
    client.connection.receive(fetch);
    fake.answer(fake.link.asked.length - 1, records(size));
    return client;
  };

  test('makes fetches bring less, and is given back when it is read or its client goes', () => {
    const fake = new FakeGateway({ unreadBytesMax: 4_000, connectionUnreadBytesMin: 1 });
    fake.addTopic(topic, 1);
    const [reads, goes] = [deaf(fake, 800), deaf(fake, 800)];
    expect([fake.gateway.readCredit.heldBytes, granted(fake)]).toEqual([1_600, 600]);
    reads.connection.drained();
    expect(granted(fake)).toBe(800);
    goes.connection.ended();
    expect([fake.gateway.readCredit.heldBytes, granted(fake)]).toEqual([0, 1_000]);
  });

  test('leaves something to the next, however many do not read', () => {
    const fake = new FakeGateway({ unreadBytesMax: 10_000, connectionUnreadBytesMin: 100 });
    fake.addTopic(topic, 1);
    const credits = Array.from({ length: 50 }, () => {
      const credit = granted(fake) ?? 0;
      deaf(fake, credit);
      return credit;
    });
    expect(credits[0]).toBe(1_000);
    expect(credits.toSorted((a, b) => b - a)).toEqual(credits);
    expect(credits.at(-1)).toBe(100);
    expect(fake.gateway.readCredit.heldBytes).toBeLessThanOrEqual(10_000 + 50 * 100);
  });

  test('one connection has a share: beyond it the next fetch waits until something is read', () => {
    const fake = new FakeGateway({ unreadBytesMax: 4_000, connectionUnreadBytesMin: 1 });
    fake.addTopic(topic, 1);
    const { connection, socket } = fake.connect();
    for (let i = 0; i < 3; i++) connection.receive(fetch);
    // 1000 are a quarter of 4000; once they are held a quarter of the rest is less.
    expect(fake.link.asked.map(({ credit }) => credit)).toEqual([1_000]);
    fake.answer(0, records(400));
    expect(socket.answered).toEqual([1]);
    expect(fake.link.asked.map(({ credit }) => credit)).toEqual([1_000, 1_000]);
    expect(granted(fake)).toBe(750);
  });

  test('counts from before it is read, not while a fetch just waits', () => {
    const fake = new FakeGateway({ unreadBytesMax: 4_000, connectionUnreadBytesMin: 1 });
    fake.addTopic(topic, 1);
    const { connection, socket } = fake.connect();
    const longPoll = { ...wanted, maxWaitMs: 1_000 };
    connection.receive(encodeRequest(fetchApi, 12, { correlationId: 1, clientId: null }, longPoll));
    expect(granted(fake)).toBe(750);
    const asked = fake.link.asked[0];
    expect.assert(asked !== undefined);
    fake.gateway.receive({ to: asked.from, body: records(0), parked: true });
    expect(granted(fake)).toBe(1_000);
    fake.clock.advance(1_000);
    expect(socket.answered).toEqual([1]);
  });
});

describe('ends', () => {
  test('what a client that is gone asked for is called off', () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    connection.receive(overlapping(1));
    connection.receive(overlapping(2));
    fake.answer(1);
    connection.ended();
    expect(fake.link.cancelled).toEqual([fake.link.asked[0]?.from]);
    fake.answer(0);
    expect(socket.frames).toEqual([]);
    expect(fake.gateway.connectionCount).toBe(0);
  });

  test('a frame that is no request closes, and what came before it is not answered any more', () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    connection.receive(overlapping(1));
    connection.receive(new Uint8Array([0, 0, 0, 3, 0, 22, 0]));
    expect([socket.closed, fake.closedFor('bad_request')]).toEqual([true, 1]);
    connection.receive(overlapping(2));
    expect(fake.link.asked.length).toBe(1);
  });

  test('idle connections are closed, waiting and busy ones are not', () => {
    const fake = new FakeGateway({ connectionsMaxIdleMs: 1_000 });
    const [idle, busy, slow] = [fake.connect(), fake.connect(), fake.connect()];
    busy.connection.receive(overlapping(1));
    slow.socket.full = true;
    slow.connection.receive(overlapping(2));
    fake.answer(1);
    fake.clock.advance(1_001);
    fake.gateway.closeIdle();
    expect([idle.socket.closed, busy.socket.closed, slow.socket.closed]).toEqual([true, false, true]);
    expect(fake.closedFor('idle')).toBe(2);
  });

  test('a drain answers what is being worked on and starts nothing', async () => {
    const fake = new FakeGateway();
    const { socket, connection } = fake.connect();
    connection.receive(overlapping(1));
    let drained = false;
    const drain = fake.gateway.drain(fake.clock.nowMs + 1_000).then(() => (drained = true));
    connection.receive(overlapping(2));
    await Promise.resolve();
    expect([fake.link.asked.length, drained]).toEqual([1, false]);
    fake.answer(0);
    await drain;
    expect(socket.answered).toEqual([1]);
    expect(fake.clock.waiting).toBe(0);
  });

  test('a drain ends at its deadline', async () => {
    const fake = new FakeGateway();
    fake.connect().connection.receive(overlapping(1));
    const drain = fake.gateway.drain(fake.clock.nowMs + 1_000);
    fake.clock.advance(1_000);
    await drain;
    fake.gateway.closeAll();
    expect(fake.closedFor('shutdown')).toBe(1);
  });
});
