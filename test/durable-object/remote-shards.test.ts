import { describe, expect, test } from 'vitest';
import { decodeFrames, encodeFrame, type ToShard } from '../../src/hosts/durable-object/frames.ts';
import { type LinkEvents, RemoteShards } from '../../src/hosts/durable-object/remote-shards.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { ShardReply, ShardRequest } from '../../src/ports/shard-link.ts';

const CALLER = { principal: 'User:x', clientId: 'c', clientHost: '/h' };

function request(shard: string, correlationId: number): ShardRequest {
  return {
    shard,
    from: { link: 7, correlationId },
    caller: CALLER,
    apiKey: 1,
    apiVersion: 4,
    body: { correlationId },
  };
}

interface Opened {
  shard: string;
  print: string;
  sent: ToShard[];
  events: LinkEvents;
  isClosed: boolean;
}

/** Objects that a test answers for. */
function world({ isReachable = true } = {}) {
  const opened: Opened[] = [];
  const replies: ShardReply[] = [];
  let print = 'p1';
  const shards = new RemoteShards({
    greeting: () => ({ print, from: 0, placement: {} }),
    reply: (reply) => replies.push(reply),
    onMetadata: () => {},
    async open(shard, greeting, events) {
      if (!isReachable) throw new Error('overloaded');
      const link: Opened = { shard, print: greeting.print, sent: [], events, isClosed: false };
      opened.push(link);
      return {
        send: (bytes) => {
          for (const { frame } of decodeFrames<ToShard>(bytes)) link.sent.push(frame);
        },
        close: () => {
          link.isClosed = true;
        },
      };
    },
  });
  return { shards, opened, replies, setPrint: (next: string) => (print = next) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('links to objects', () => {
  test('one a shard, opened by the first request; all of them arrive in order', async () => {
    const { shards, opened } = world();
    for (const id of [1, 2]) shards.request(request('d/a/0', id));
    shards.request(request('d/a/1', 3));
    await turn();
    shards.request(request('d/a/0', 4));
    await turn();
    const seen = opened.map(({ shard, sent }) => [
      shard,
      sent.map((frame) => 'correlationId' in frame && frame.correlationId),
    ]);
    expect(seen).toEqual([
      ['d/a/0', [1, 2, 4]],
      ['d/a/1', [3]],
    ]);
  });

  test('an answer goes to who asked; what is parked has more of them', async () => {
    const { shards, opened, replies } = world();
    shards.request(request('d/a/0', 1));
    await turn();
    const answer = (fields: object) =>
      opened[0]?.events.received(encodeFrame({ type: 'reply', correlationId: 1, body: 'x', ...fields }));
    answer({ parked: true });
    answer({ body: 'y' });
    answer({ body: 'z' });
    expect(replies).toEqual([
      { to: { link: 7, correlationId: 1 }, body: 'x', parked: true },
      { to: { link: 7, correlationId: 1 }, body: 'y' },
    ]);
  });

  test.each([
    ['d/a/0', ErrorCode.NOT_LEADER_OR_FOLLOWER],
    ['g/3', ErrorCode.KAFKA_STORAGE_ERROR],
  ])(
    'a link to %s that ends answers what was asked; the next request opens another',
    async (shard, errorCode) => {
      const { shards, opened, replies } = world();
      shards.request(request(shard, 1));
      await turn();
      opened[0]?.events.closed();
      opened[0]?.events.closed();
      expect(replies).toEqual([{ to: { link: 7, correlationId: 1 }, body: undefined, errorCode }]);
      shards.request(request(shard, 2));
      await turn();
      expect(opened).toHaveLength(2);
    },
  );

  test('an object that cannot be reached answers, too', async () => {
    const { shards, replies } = world({ isReachable: false });
    shards.request(request('d/a/0', 1));
    await turn();
    expect(replies.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER]);
  });

  test('what is called off is told to the shard, and its answer to nobody', async () => {
    const { shards, opened, replies } = world();
    shards.request(request('d/a/0', 1));
    await turn();
    shards.cancel('d/a/0', { link: 7, correlationId: 1 });
    await turn();
    opened[0]?.events.received(encodeFrame({ type: 'reply', correlationId: 1, body: 'x' }));
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'cancel', correlationId: 1 });
    expect(replies).toEqual([]);
  });

  test('a shard hears that metadata about it has changed, and of no other change', async () => {
    const { shards, opened, setPrint } = world();
    shards.request(request('d/a/0', 1));
    await turn();
    shards.tellMetadata();
    expect(opened[0]?.sent).toHaveLength(1);
    setPrint('p2');
    shards.tellMetadata();
    shards.tellMetadata();
    await turn();
    expect(opened[0]?.sent.slice(1)).toEqual([{ type: 'metadata', print: 'p2' }]);
  });

  test('closing closes the links, and answers nobody', async () => {
    const { shards, opened, replies } = world();
    shards.request(request('d/a/0', 1));
    shards.request(request('d/a/1', 2));
    await turn();
    shards.close();
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(replies).toEqual([]);
  });
});
