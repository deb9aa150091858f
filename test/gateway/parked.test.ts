import { beforeEach, describe, expect, test } from 'vitest';
import { type FetchRequest, fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { GatewayLimits } from '../../src/model/limits.ts';
import { FakeGateway, type ManualSocket } from './fake-gateway.ts';
import { type FetchSettings, type Wanted, fetchBody } from './harness.ts';

const TOPIC = { name: 'quiet', id: 'AAAAAAAAAAAAAAAAAAAABw' };
const WAIT_MS = 500;
const VERSION = 12;

/** A gateway whose shards answer as the test says, and one client that fetches. */
class Poll {
  readonly fake: FakeGateway;
  readonly socket: ManualSocket;
  readonly #connection: ReturnType<FakeGateway['connect']>['connection'];
  #correlationId = 0;

  constructor(limits: Partial<GatewayLimits> = {}) {
    this.fake = new FakeGateway(limits);
    this.fake.addTopic(TOPIC, 4);
    const { socket, connection } = this.fake.connect();
    this.socket = socket;
    this.#connection = connection;
  }

  get asked() {
    return this.fake.link.asked;
  }

  /** What shards were told not to answer any more: the numbers of the requests. */
  get cancelled(): number[] {
    const ids = this.asked.map(({ from }) => from.correlationId);
    return this.fake.link.cancelled.map(({ correlationId }) => ids.indexOf(correlationId));
  }

  fetch(
    wanted: readonly Partial<Wanted>[] = [{}],
    { forget, ...settings }: FetchSettings & { forget?: number } = {},
  ): void {
    const body = fetchBody(
      wanted.map((one) => ({ topic: TOPIC, fetchOffset: 7, ...one })),
      { maxWaitMs: WAIT_MS, ...settings },
    );
    const forgottenTopicsData =
      forget === undefined ? [] : [{ topic: TOPIC.name, topicId: TOPIC.id, partitions: [forget] }];
    const header = { correlationId: ++this.#correlationId, clientId: null };
    this.#connection.receive(encodeRequest(fetchApi, VERSION, header, { ...body, forgottenTopicsData }));
  }

  /** The shard that was asked `at`-th answers. */
  reply(at: number, { size = 0, parked = false, errorCode = 0, highWatermark = 7 } = {}): void {
    const request = this.asked[at];
    if (request === undefined) throw new Error(`only ${this.asked.length} requests were asked`);
    const partitionIndex = (request.body as FetchRequest).topics[0]?.partitions[0]?.partition ?? -1;
    const records = new Uint8Array(size);
    const partition = { partitionIndex, errorCode, highWatermark, logStartOffset: 0, records };
    const body = { responses: [{ topic: TOPIC.name, topicId: TOPIC.id, partitions: [partition] }] };
    this.fake.gateway.receive({ to: request.from, body, parked });
  }

  /** The shard has something, too little. */
  notice(at: number): void {
    const request = this.asked[at];
    if (request !== undefined) this.fake.gateway.receive({ to: request.from, body: undefined, parked: true });
  }

  timeIsUp(): void {
    this.fake.clock.advance(WAIT_MS);
  }

  /** Records in each of the answers so far. */
  get answers(): number[] {
    return this.socket.frames.map((frame) => {
      const { body } = decodeResponse(fetchApi, VERSION, frame);
      const partitions = body.responses.flatMap((topic) => topic.partitions);
      return partitions.reduce((sum, { records }) => sum + (records?.length ?? 0), 0);
    });
  }

  /** One fetch that finds nothing, parks, and is answered when its time is up. */
  poll(settings: FetchSettings = {}): void {
    this.fetch([{}], settings);
    this.reply(this.asked.length - 1, { parked: true });
    this.timeIsUp();
  }

  close(): void {
    this.#connection.ended();
  }
}

let poll: Poll;
beforeEach(() => {
  poll = new Poll();
});

describe('a client that asks again where there is nothing', () => {
  test('costs its shard one request, however often it comes', () => {
    poll.poll();
    for (let i = 0; i < 100; i++) {
      poll.fetch();
      poll.timeIsUp();
    }
    expect([poll.asked.length, poll.answers.length, poll.cancelled]).toEqual([1, 101, []]);
    expect([poll.fake.gateway.parkedFetches, poll.fake.clock.waiting]).toEqual([1, 0]);
  });

  test('is told the same as before', () => {
    poll.poll();
    poll.fetch();
    poll.timeIsUp();
    const [first, second] = poll.socket.frames.map((frame) => decodeResponse(fetchApi, VERSION, frame).body);
    expect(second).toEqual(first);
    expect(second?.responses[0]?.partitions[0]?.highWatermark).toBe(7);
  });

  test('gets what comes while it waits', () => {
    poll.poll();
    poll.fetch();
    poll.reply(0, { size: 10, highWatermark: 8 });
    expect([poll.answers, poll.asked.length]).toEqual([[0, 10], 1]);
    expect(poll.fake.gateway.parkedFetches).toBe(0);
  });

  test('asks anew once something has come meanwhile, which is held nowhere', () => {
    poll.poll();
    poll.reply(0, { size: 10 });
    expect([poll.fake.gateway.parkedFetches, poll.fake.gateway.readCredit.heldBytes]).toEqual([0, 0]);
    poll.fetch();
    poll.reply(1, { size: 10 });
    expect([poll.answers, poll.asked.length, poll.cancelled]).toEqual([[0, 10], 2, []]);
  });

  test('asks anew after an error', () => {
    poll.poll();
    poll.reply(0, { errorCode: 56 });
    poll.fetch();
    expect(poll.asked.length).toBe(2);
  });
});

describe('of several partitions', () => {
  test('those that have nothing stay parked while others are read', () => {
    poll.fetch([{ partition: 0 }, { partition: 1 }]);
    for (const at of [0, 1]) poll.reply(at, { parked: true });
    poll.reply(1, { size: 10 });
    poll.fetch([{ partition: 0 }, { partition: 1, fetchOffset: 8 }]);
    expect(poll.asked.length).toBe(3);
    poll.reply(2, { parked: true });
    poll.reply(0, { size: 20 });
    expect(poll.answers).toEqual([10, 20]);
    expect(poll.cancelled).toEqual([]);
  });

  test('two requests of one client at once each have their own; one of them is kept', () => {
    poll.fetch();
    poll.fetch();
    for (const at of [0, 1]) poll.reply(at, { parked: true });
    poll.timeIsUp();
    expect([poll.answers, poll.cancelled, poll.fake.gateway.parkedFetches]).toEqual([[0, 0], [1], 1]);
  });
});

describe('is called off', () => {
  test('when the connection closes, kept or waited for', () => {
    poll.poll();
    poll.fetch([{ partition: 1 }]);
    poll.reply(1, { parked: true });
    poll.close();
    expect(new Set(poll.cancelled)).toEqual(new Set([0, 1]));
    expect(poll.fake.gateway.parkedFetches).toBe(0);
    const other = new Poll();
    other.poll();
    other.fetch();
    other.close();
    expect(other.cancelled).toEqual([0]);
  });

  test.each<[string, Partial<Wanted>, FetchSettings]>([
    ['another offset', { fetchOffset: 8 }, {}],
    ['another current epoch', { currentLeaderEpoch: 3 }, {}],
    ['another fetched epoch', { lastFetchedEpoch: 3 }, {}],
    ['fewer bytes of a partition', { partitionMaxBytes: 1_000 }, {}],
    ['another isolation level', {}, { isolationLevel: 1 }],
    ['fewer bytes', {}, { minBytes: 9 }],
  ])('when the client asks for %s', (_, wanted, settings) => {
    poll.poll({ minBytes: 10 });
    poll.fetch([wanted], { minBytes: 10, ...settings });
    expect([poll.cancelled, poll.asked.length]).toEqual([[0], 2]);
  });

  test('when its session forgets the partition, or is closed', () => {
    poll.fetch([{ partition: 0 }, { partition: 1 }], { sessionEpoch: 0 });
    for (const at of [0, 1]) poll.reply(at, { parked: true });
    poll.timeIsUp();
    const [frame] = poll.socket.frames;
    expect.assert(frame !== undefined);
    const { sessionId } = decodeResponse(fetchApi, VERSION, frame).body;
    poll.fetch([], { sessionId, sessionEpoch: 1, forget: 1 });
    expect([poll.cancelled, poll.asked.length]).toEqual([[1], 2]);
    poll.timeIsUp();
    poll.fetch([], { sessionId, sessionEpoch: -1 });
    expect(poll.cancelled).toEqual([1, 0]);
    expect(poll.fake.gateway.fetchSessions.size).toBe(0);
  });

  test('when too many are kept already', () => {
    poll = new Poll({ parkedFetchesMax: 1 });
    poll.fetch([{ partition: 0 }, { partition: 1 }]);
    for (const at of [0, 1]) poll.reply(at, { parked: true });
    poll.timeIsUp();
    expect([poll.cancelled, poll.fake.gateway.parkedFetches]).toEqual([[1], 1]);
  });
});

describe('less than enough', () => {
  test('what has come by the end of the wait is read then, and the next fetch asks anew', () => {
    poll.fetch([{}], { minBytes: 100 });
    poll.reply(0, { parked: true });
    poll.notice(0);
    expect([poll.asked.length, poll.answers]).toEqual([1, []]);
    poll.timeIsUp();
    expect([poll.asked.length, poll.cancelled]).toEqual([2, [0]]);
    expect(poll.asked[1]?.body).toMatchObject({ maxWaitMs: 0 });
    poll.reply(1, { size: 40, highWatermark: 8 });
    expect(poll.answers).toEqual([40]);
    expect(poll.fake.gateway.parkedFetches).toBe(0);
  });

  test('that has come while nobody waited makes the next fetch ask', () => {
    poll.poll({ minBytes: 100 });
    poll.notice(0);
    expect(poll.cancelled).toEqual([0]);
    poll.fetch([{}], { minBytes: 100 });
    expect(poll.asked.length).toBe(2);
  });

  test('was given with the last answer: the next fetch begins behind it', () => {
    poll.fetch([{}], { minBytes: 100 });
    poll.reply(0, { parked: true, size: 40 });
    poll.timeIsUp();
    expect([poll.answers, poll.cancelled, poll.fake.gateway.parkedFetches]).toEqual([[40], [0], 0]);
  });

  test('a client that waits for more than it did takes up the same, and goes on until it has enough', () => {
    poll.poll({ minBytes: 10 });
    poll.fetch([{}], { minBytes: 100 });
    expect(poll.asked.length).toBe(1);
    poll.reply(0, { size: 20 });
    expect([poll.asked.length, poll.answers]).toEqual([2, [0]]);
    poll.reply(1, { size: 20, parked: true });
    poll.reply(1, { size: 120 });
    expect(poll.answers).toEqual([0, 120]);
  });
});

test('a client that will not wait is told what there is now', () => {
  poll.poll();
  poll.fetch([{}], { maxWaitMs: 0 });
  expect(poll.asked.length).toBe(2);
  poll.reply(1);
  poll.fetch();
  poll.timeIsUp();
  expect([poll.asked.length, poll.answers.length]).toEqual([2, 3]);
});
