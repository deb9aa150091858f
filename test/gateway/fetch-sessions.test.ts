import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type RawClient, TestBroker, batch, batchesIn, fetchBody, produce } from './harness.ts';
import { until } from './until.ts';
import { SessionClient, type TopicName } from './session-client.ts';

let server: TestBroker;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  client = await server.client();
});
afterAll(() => server.close());

const LONG_MS = 20_000;

/** Fetches the broker has begun so far. */
function fetches(): number {
  return server.broker.gateway.counters.requestsByApi.get(fetchApi.key) ?? 0;
}

/** A session open on all partitions of a new topic, and told all there is. */
async function open(partitions: number, version = 12): Promise<{ session: SessionClient; topic: TopicName }> {
  const topic = await server.topic(client, { partitions });
  const session = new SessionClient(await server.client(), version);
  await session.fetch(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  return { session, topic };
}

describe.each([7, 12, 13, 18])('a session, v%i', (version) => {
  test('names every partition once, then those with news alone', async () => {
    const topic = await server.topic(client, { partitions: 3 });
    const session = new SessionClient(client, version);
    const all = [0, 1, 2].map((partition) => ({ topic, partition }));
    const first = await session.fetch(all);
    expect(first.sessionId).toBeGreaterThan(0);
    expect([...first.partitions.keys()]).toEqual(all.map(({ partition }) => session.keyOf(topic, partition)));
    expect([...(await session.fetch([])).partitions.keys()]).toEqual([]);
    await produce(client, topic, batch(['news']), { partition: 1 });
    const { sessionId, partitions } = await session.fetch([]);
    expect([sessionId, ...partitions.keys()]).toEqual([first.sessionId, session.keyOf(topic, 1)]);
    const news = partitions.get(session.keyOf(topic, 1));
    expect([news?.highWatermark, batchesIn(news?.records ?? null).length]).toEqual([1, 1]);
  });

  test('adds, changes and forgets partitions', async () => {
    const { session, topic } = await open(2, version);
    const other = await server.topic(client);
    for (const to of [topic, other]) await produce(client, to, batch(['a']));
    const added = await session.fetch([{ topic: other }]);
    expect([...added.partitions.keys()]).toEqual([session.keyOf(topic), session.keyOf(other)]);
    const changed = await session.fetch([{ topic, fetchOffset: 1 }], { forget: [{ topic: other }] });
    expect([...changed.partitions.keys()]).toEqual([]);
    await produce(client, other, batch(['b']));
    await produce(client, topic, batch(['b']));
    const { partitions } = await session.fetch([]);
    expect([...partitions.keys()]).toEqual([session.keyOf(topic)]);
    expect(batchesIn(partitions.get(session.keyOf(topic))?.records ?? null)).toMatchObject([
      { baseOffset: 1 },
    ]);
  });
});

describe('epochs', () => {
  const ask = async (asking: RawClient, settings: object, version = 12) =>
    asking.send(fetchApi, version, fetchBody([], settings));

  test('an unknown session, the wrong epoch, the other way to name topics', async () => {
    const { session } = await open(1);
    const { sessionId } = session;
    const code = async (settings: object, version = 12) => (await ask(client, settings, version)).errorCode;
    const other = sessionId === 77 ? 78 : 77;
    expect(await code({ sessionId: other, sessionEpoch: 1 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    expect(await code({ sessionId: 0, sessionEpoch: 1 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    for (const sessionEpoch of [2, 0x7fff_ffff, -2]) {
      expect(await code({ sessionId, sessionEpoch })).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    }
    expect(await code({ sessionId, sessionEpoch: 1 }, 13)).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    // None of these was a request of the session: it goes on where it was.
    expect(await session.fetch([])).toMatchObject({ errorCode: 0, sessionId });
    expect(await code({ sessionId, sessionEpoch: 1 })).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
  });

  test('-1 closes the session, 0 opens another in its place', async () => {
    const { session, topic } = await open(1);
    const { sessionId } = session;
    const before = server.broker.gateway.fetchSessions.size;
    const wanted = fetchBody([{ topic }], { sessionId, sessionEpoch: 0 });
    const reopened = await client.send(fetchApi, 12, wanted);
    expect(reopened.sessionId).not.toBe(sessionId);
    expect(server.broker.gateway.fetchSessions.size).toBe(before);
    const closed = await client.send(
      fetchApi,
      12,
      fetchBody([], { sessionId: reopened.sessionId, sessionEpoch: -1 }),
    );
    expect([closed.errorCode, closed.sessionId]).toEqual([0, 0]);
    expect(server.broker.gateway.fetchSessions.size).toBe(before - 1);
    for (const id of [sessionId, reopened.sessionId]) {
      const { errorCode } = await ask(client, { sessionId: id, sessionEpoch: 1 });
      expect(errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    }
  });

  test('-1 without a session, as clients that know none send, opens none', async () => {
    const topic = await server.topic(client);
    const before = server.broker.gateway.fetchSessions.size;
    const response = await client.send(fetchApi, 12, fetchBody([{ topic }], { sessionEpoch: -1 }));
    expect([response.sessionId, server.broker.gateway.fetchSessions.size]).toEqual([0, before]);
  });

  test('a session with nothing left in it is closed, and says so', async () => {
    const { session, topic } = await open(1);
    const before = server.broker.gateway.fetchSessions.size;
    expect((await session.fetch([], { forget: [{ topic }] })).sessionId).toBe(0);
    expect(server.broker.gateway.fetchSessions.size).toBe(before - 1);
  });

  test('requests that do not wait for each other are served one after the other', async () => {
    const { session, topic } = await open(1);
    const { sessionId } = session;
    const ahead = [1, 2, 3].map((sessionEpoch) =>
      session.client.send(fetchApi, 12, fetchBody([], { sessionId, sessionEpoch, maxWaitMs: LONG_MS })),
    );
    for (const answer of ahead) {
      await produce(client, topic, batch(['news']));
      expect(await answer).toMatchObject({ errorCode: 0, sessionId });
    }
  });

  test('used from two connections at once, the later one has it', async () => {
    const { session, topic } = await open(1);
    const { sessionId } = session;
    const waits = { sessionId, maxWaitMs: LONG_MS };
    const before = fetches();
    const older = session.client.send(fetchApi, 12, fetchBody([], { ...waits, sessionEpoch: 1 }));
    const moved = await server.client();
    await until('the older has begun', () => fetches() > before);
    const newer = moved.send(fetchApi, 12, fetchBody([], { sessionId, sessionEpoch: 2 }));
    expect((await newer).errorCode).toBe(0);
    await produce(client, topic, batch(['news']));
    expect(await older).toMatchObject({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId });
  });
});

describe('what is news', () => {
  test('an error, again and again; when it goes, what is there now', async () => {
    const { session, topic } = await open(1);
    const key = session.keyOf(topic);
    const codes = async () => {
      const { partitions } = await session.fetch([]);
      return Array.from(partitions.values(), ({ errorCode }) => errorCode);
    };
    await session.fetch([{ topic, fetchOffset: 5 }]);
    expect(await codes()).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE]);
    expect(await codes()).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE]);
    const { partitions } = await session.fetch([{ topic, fetchOffset: 0 }]);
    expect(partitions.get(key)).toMatchObject({ errorCode: 0, highWatermark: 0 });
    expect(await codes()).toEqual([]);
  });

  test('a topic that is deleted', async () => {
    const { session, topic } = await open(1, 13);
    await server.deleteTopic(client, topic);
    const { partitions } = await session.fetch([], { maxWaitMs: LONG_MS });
    expect(partitions.get(session.keyOf(topic))?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  test('a high watermark that has moved, though there is nothing to read from this offset on', async () => {
    const { session, topic } = await open(2);
    await produce(client, topic, batch(['a']));
    const { partitions } = await session.fetch([{ topic, fetchOffset: 1 }]);
    expect(partitions.get(session.keyOf(topic))).toMatchObject({ highWatermark: 1, errorCode: 0 });
    expect(partitions.size).toBe(1);
  });
});

test('partitions that were served go to the end: with room for one batch, all get their turn', async () => {
  const { session, topic } = await open(4);
  const sent = batch([new Uint8Array(1_000)]);
  const order: number[] = [];
  for (let round = 0; round < 2; round++) {
    for (const partition of [0, 1, 2, 3]) await produce(client, topic, sent, { partition });
  }
  const positions = [0, 0, 0, 0];
  let served = -1;
  for (let turn = 0; turn < 8; turn++) {
    const moved = served < 0 ? [] : [{ topic, partition: served, fetchOffset: positions[served] ?? 0 }];
    const { partitions } = await session.fetch(moved, { maxBytes: sent.length });
    const withRecords = [...partitions.values()].filter(({ records }) => (records?.length ?? 0) > 0);
    expect(withRecords.length).toBe(1);
    served = withRecords[0]?.partitionIndex ?? -1;
    positions[served] = (positions[served] ?? 0) + 1;
    order.push(served);
  }
  expect(order).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test('the broker setting bounds how many are kept; who comes too late works without one', async () => {
  const settings = new Map([['max.incremental.fetch.session.cache.slots', '2']]);
  const small = await TestBroker.start({ settings });
  const asking = await small.client();
  const topic = await small.topic(asking);
  const ids: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { sessionId, partitions } = await new SessionClient(asking).fetch([{ topic }]);
    expect(partitions.size).toBe(1);
    ids.push(sessionId);
  }
  expect(ids.map((id) => id !== 0)).toEqual([true, true, false]);
  await small.close();
});
