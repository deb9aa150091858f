import { describe, expect, test } from 'vitest';
import { decodeFrames, encodeFrame } from '../../src/hosts/durable-object/frames.ts';
import type { FromRelay, ToRelay } from '../../src/hosts/durable-object/relay/frames.ts';
import { RelayedShards } from '../../src/hosts/durable-object/relay/relayed-shards.ts';
import type { LinkEvents } from '../../src/hosts/durable-object/remote-shards.ts';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import type { ShardReply, ShardRequest } from '../../src/ports/shard-link.ts';
import { fetchReply } from '../../src/shard/fetch-of-one.ts';
import type { FetchResponse } from '../../src/wire/apis/01-fetch.ts';
import { emptyFetched } from '../../src/wire/fetched.ts';
import { append, logName, offsetsOf } from '../storage/batches.ts';

const SHARD = 'd/AAAAAAAAAAAAAAAAAAAAAA/0';
const CALLER = { principal: 'User:x', clientId: 'c', clientHost: '/h' };
const { log } = logName(1);

function fetchAt(
  fetchOffset: number,
  correlationId: number,
  { minBytes = 1, credit = 1e6 } = {},
): ShardRequest {
  const topics = [
    { topic: 't', topicId: '', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6 }] },
  ];
  const body = { maxWaitMs: 5_000, minBytes, maxBytes: 1e6, isolationLevel: 0, topics };
  const from = { link: 1, correlationId };
  return { shard: SHARD, from, caller: CALLER, apiKey: 1, apiVersion: 11, body, credit };
}

/** A gateway's way to one leader and its relay, for which a test answers. */
function gateway() {
  const asked: number[] = [];
  const cancelled: number[] = [];
  const replies: ShardReply[] = [];
  const told: ToRelay[] = [];
  const links: (LinkEvents & { relay: string })[] = [];
  const requests = new Map<number, ShardRequest>();
  const shards = new RelayedShards({
    link: {
      request(request) {
        asked.push(request.from.correlationId);
        requests.set(request.from.correlationId, request);
      },
      cancel: (_, { correlationId }) => void cancelled.push(correlationId),
    },
    reply: (reply) => replies.push(reply),
    random: new SeededRandom(1),
    async open(relay, _, events) {
      links.push({ relay, ...events });
      return {
        send: (bytes) => {
          for (const { frame } of decodeFrames<ToRelay>(bytes)) told.push(frame);
        },
        close: () => {},
      };
    },
  });
  /** Its leader has nothing for it. */
  const park = (correlationId: number, relays = 1) => {
    const request = requests.get(correlationId);
    if (request === undefined) throw new Error('the leader was not asked');
    shards.receive({ ...fetchReply(request, emptyFetched(0, 0)), parked: true, relays });
  };
  const send = (frame: FromRelay) => links.at(-1)?.received(encodeFrame(frame));
  const records = (from: number, valueBytes = 10) => {
    const { bytes } = append({ log, baseOffset: from, valueBytes });
    send({ type: 'records', from, to: from + 1, partition: { ...emptyFetched(0, 0), records: bytes } });
  };
  /** What came of a fetch: whether it waits, or its offsets. */
  const answers = (correlationId: number) =>
    replies.flatMap(({ to, body, parked }): ('parked' | number[])[] => {
      if (to.correlationId !== correlationId) return [];
      const bytes = (body as FetchResponse).responses[0]?.partitions[0]?.records ?? new Uint8Array(0);
      return parked ? ['parked'] : [offsetsOf(bytes).map(([offset]) => offset)];
    });
  return { shards, asked, cancelled, told, links, park, send, records, answers };
}

async function subscribed() {
  const world = gateway();
  world.shards.request(fetchAt(5, 1));
  world.park(1);
  await Promise.resolve();
  return world;
}

describe('a fetch that waits', () => {
  test('moves to a relay when its leader says that there are some', async () => {
    const { asked, cancelled, told, links, answers } = await subscribed();
    expect([asked, cancelled, told]).toEqual([[1], [1], [{ type: 'subscribe', from: 5 }]]);
    expect(links.map(({ relay }) => relay)).toEqual(['r/0/0/AAAAAAAAAAAAAAAAAAAAAA/0']);
    expect(answers(1)).toEqual(['parked']);
  });

  test.each([
    ['there is none', {}, 0],
    ['one record is not enough for it', { minBytes: 100 }, 1],
  ])('stays with its leader when %s', (_, how, relays) => {
    const { shards, cancelled, links, park } = gateway();
    shards.request(fetchAt(5, 1, how));
    park(1, relays);
    expect([cancelled, links]).toEqual([[], []]);
  });

  test('is answered by what the relay sends, and so are those that follow, without their leader', async () => {
    const { shards, asked, records, answers } = await subscribed();
    records(5);
    records(6);
    shards.request(fetchAt(6, 2));
    shards.request(fetchAt(7, 3));
    records(7);
    expect([answers(1), answers(2), answers(3)]).toEqual([['parked', [5]], [[6]], ['parked', [7]]]);
    expect(asked).toEqual([1]);
  });

  test.each([
    [
      'is told to go elsewhere',
      (world: Awaited<ReturnType<typeof subscribed>>) => world.send({ type: 'elsewhere' }),
    ],
    ['loses its relay', (world: Awaited<ReturnType<typeof subscribed>>) => world.links[0]?.closed()],
    ['misses something', (world: Awaited<ReturnType<typeof subscribed>>) => world.records(9)],
  ])('is asked at its leader again when it %s, and nobody notices', async (_, happen) => {
    const world = await subscribed();
    happen(world);
    expect(world.asked).toEqual([1, 1]);
    world.park(1);
    await Promise.resolve();
    world.records(5);
    expect(world.answers(1)).toEqual(['parked', [5]]);
  });

  test('that is called off gets nothing; what comes meanwhile is for the next', async () => {
    const { shards, cancelled, records, answers } = await subscribed();
    shards.cancel(SHARD, { link: 1, correlationId: 1 });
    records(5);
    shards.request(fetchAt(5, 2));
    expect([answers(1), answers(2)]).toEqual([['parked'], [[5]]]);
    expect(cancelled).toEqual([1]);
  });
});

describe('a client that does not ask', () => {
  test('is sent no more than it may leave lying, and reads the rest at its leader', async () => {
    const { shards, asked, told, records, answers } = await subscribed();
    for (let offset = 5; offset < 10; offset++) records(offset, 30_000);
    expect(told.at(-1)).toEqual({ type: 'unsubscribe' });
    shards.request(fetchAt(6, 2));
    shards.request(fetchAt(9, 3));
    expect([answers(1), answers(2), answers(3)]).toEqual([['parked', [5]], [[6, 7]], []]);
    expect(asked).toEqual([1, 3]);
  });
});
