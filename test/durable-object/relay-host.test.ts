import { describe, expect, test } from 'vitest';
import { decodeFrames, encodeFrame } from '../../src/hosts/durable-object/frames.ts';
import { Feed } from '../../src/hosts/durable-object/relay/feed.ts';
import type { FromRelay, NextFetch, Pushed } from '../../src/hosts/durable-object/relay/frames.ts';
import { RelayHost, type RelaySocket } from '../../src/hosts/durable-object/relay/relay-host.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { concat } from '../../src/model/bytes.ts';
import { append, logName, offsetsOf } from '../storage/batches.ts';

const { log } = logName(1);

/** Of one record each. */
function batches(from: number, count: number, valueBytes = 10): Uint8Array {
  const all = Array.from(
    { length: count },
    (_, at) => append({ log, baseOffset: from + at, valueBytes }).bytes,
  );
  return concat(all);
}

function offsetsIn(bytes: Uint8Array): number[] {
  return offsetsOf(bytes).map(([offset]) => offset ?? -1);
}

function pushed(from: number, count = 1, more: object = {}): Pushed {
  const partition = { errorCode: 0, highWatermark: from + count, abortedTransactions: null, ...more };
  return { from, partition: { records: batches(from, count), ...partition } as Pushed['partition'] };
}

class Socket implements RelaySocket {
  readonly frames: FromRelay[] = [];
  /** What each was sent. */
  readonly messages: Uint8Array[] = [];
  bufferedAmount = 0;
  attachment: unknown = null;

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.messages.push(bytes);
    for (const { frame } of decodeFrames<FromRelay>(bytes)) this.frames.push(frame);
  }
  close(): void {}
  serializeAttachment(attachment: unknown): void {
    this.attachment = structuredClone(attachment);
  }
  deserializeAttachment(): unknown {
    return this.attachment;
  }

  get offsets(): number[] {
    return this.frames.flatMap((frame) =>
      frame.type === 'records' ? offsetsIn(frame.partition.records ?? new Uint8Array(0)) : [],
    );
  }
}

function relay({ sockets = [] as Socket[], fails = false } = {}) {
  const clock = new VirtualClock(1_000_000);
  const followed: NextFetch[] = [];
  const host = new RelayHost({
    sockets,
    time: { now: () => clock.now(), after: (ms, callback) => clock.at(clock.now() + ms, callback) },
    async follow(next) {
      followed.push(next);
      if (fails) throw new Error('overloaded');
      return true;
    },
  });
  const subscribe = (from: number, socket = new Socket()) => {
    host.accept(socket);
    host.received(socket, encodeFrame({ type: 'subscribe', from }));
    return socket;
  };
  /** What it is to be handed next, once there is room. */
  const push = async (what: Pushed | undefined) => {
    const next = host.push(what);
    await clock.advance(100);
    return next;
  };
  return { host, clock, followed, subscribe, push };
}

describe('a relay', () => {
  test('follows its leader from where the first one stands', async () => {
    const { followed, subscribe } = relay();
    subscribe(7);
    subscribe(7);
    expect(followed).toEqual([{ from: 7 }]);
  });

  test('sends the same bytes to all, and tells its leader what comes next', async () => {
    const { subscribe, push } = relay();
    const sockets = Array.from({ length: 300 }, () => subscribe(0));
    expect(await push(pushed(0, 2))).toEqual({ from: 2 });
    for (const { offsets, messages } of sockets) {
      expect(offsets).toEqual([0, 1]);
      expect(messages[0]).toBe(sockets[0]?.messages[0]);
    }
  });

  test('takes no more until there is room', async () => {
    const { host, clock, subscribe } = relay();
    subscribe(0);
    let next: NextFetch | undefined;
    void host.push(pushed(0)).then((answer) => (next = answer));
    await clock.advance(10);
    expect(next).toBeUndefined();
    await clock.advance(100);
    expect(next).toEqual({ from: 1 });
  });

  test('does not wait for who is slow, who gets all of it in one piece later', async () => {
    const { clock, subscribe, push } = relay();
    const [slow, quick] = [subscribe(0), subscribe(0)];
    slow.bufferedAmount = 1;
    for (const from of [0, 1, 2]) await push(pushed(from));
    expect([slow.offsets, quick.offsets]).toEqual([[], [0, 1, 2]]);
    slow.bufferedAmount = 0;
    await clock.advance(100);
    expect(slow.offsets).toEqual([0, 1, 2]);
    expect(slow.frames).toHaveLength(1);
  });

  test('sends who is slow for long to its leader', async () => {
    const { clock, subscribe, push } = relay();
    const slow = subscribe(0);
    slow.bufferedAmount = 1;
    await push(pushed(0));
    await clock.advance(11_000);
    expect(slow.frames).toEqual([{ type: 'elsewhere' }]);
  });

  test('sends who is so far behind that it has nothing for him to its leader', async () => {
    const { subscribe, push } = relay();
    const slow = subscribe(0);
    subscribe(0);
    slow.bufferedAmount = 1;
    for (let from = 0; from < 30; from++) {
      const { partition } = pushed(from);
      await push({ from, partition: { ...partition, records: batches(from, 1, 50_000) } });
    }
    slow.bufferedAmount = 0;
    await push(pushed(30));
    expect(slow.frames).toEqual([{ type: 'elsewhere' }]);
  });

  test('who comes a little late gets what is kept; who is ahead waits for the rest', async () => {
    const { clock, subscribe, push } = relay();
    subscribe(0);
    await push(pushed(0, 4));
    const [late, ahead] = [subscribe(2), subscribe(6)];
    await push(pushed(4, 4));
    await clock.advance(100);
    // From the batch on that he has, and from the piece on: what he has he drops.
    expect([late.offsets.slice(-6), ahead.offsets]).toEqual([
      [2, 3, 4, 5, 6, 7],
      [4, 5, 6, 7],
    ]);
  });

  test('takes nothing twice, and nothing after a gap', async () => {
    const { subscribe, push } = relay();
    const socket = subscribe(0);
    await push(pushed(0));
    expect(await push(pushed(0))).toEqual({ from: 1 });
    expect(await push(pushed(5))).toEqual({ from: 1 });
    expect(await push(undefined)).toEqual({ from: 1 });
    expect(socket.offsets).toEqual([0]);
  });

  test('wants nothing once nobody does', async () => {
    const { host, followed, subscribe, push } = relay();
    const [gone, done] = [subscribe(0), subscribe(0)];
    host.closed(gone);
    host.received(done, encodeFrame({ type: 'unsubscribe' }));
    expect(await push(pushed(0))).toBeUndefined();
    subscribe(1);
    expect(followed).toEqual([{ from: 0 }, { from: 1 }]);
  });

  test.each([
    ['its leader cannot be reached', { fails: true }, undefined],
    ['its leader refuses', {}, pushed(0, 1, { errorCode: 3 })],
  ])('sends all to their leader when %s', async (_, how, what) => {
    const { clock, subscribe, push } = relay(how);
    const socket = subscribe(0);
    await clock.advance(1);
    expect(await push(what)).toBeUndefined();
    expect(socket.frames).toEqual([{ type: 'elsewhere' }]);
  });

  test('that has slept goes on where all stood', async () => {
    const { clock, subscribe, push } = relay();
    const sockets = [subscribe(0), subscribe(0)];
    await push(pushed(0, 3));
    await clock.advance(5_000);
    const woken = relay({ sockets });
    expect(await woken.push(undefined)).toEqual({ from: 3 });
    await woken.push(pushed(3));
    expect(sockets.map(({ offsets }) => offsets)).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    expect(woken.followed).toEqual([]);
  });
});

describe('what a relay has sent', () => {
  const frame = (from: number, count = 1, more: object = {}) => {
    const { partition } = pushed(from, count, more);
    return { type: 'records' as const, from, to: from + count, partition };
  };
  const feed = () => new Feed(0, pushed(0, 0).partition);
  const read = (from: Feed, offset: number, maxBytes = 1e6) => {
    const found = from.read(offset, maxBytes);
    return found && offsetsIn(found.records ?? new Uint8Array(0));
  };

  test('is read in one piece, and again until more is asked for', () => {
    const one = feed();
    expect([one.add(frame(0)), one.add(frame(1, 2))]).toEqual([true, true]);
    expect([read(one, 0), read(one, 0), read(one, 1), read(one, 3)]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [1, 2],
      [],
    ]);
    expect(read(one, 1)).toBeUndefined();
  });

  test('is read in parts, the first batch whole', () => {
    const one = feed();
    one.add(frame(0, 3));
    const batchBytes = batches(0, 1).length;
    expect([read(one, 0, 1), read(one, 1, 2 * batchBytes), read(one, 1, 0)]).toEqual([[0], [1, 2], []]);
  });

  test('may begin before what is asked for, but not behind it', () => {
    const one = feed();
    one.add(frame(0, 2));
    expect(one.add(frame(1, 2))).toBe(true);
    expect(read(one, 0)).toEqual([0, 1, 2]);
    expect(one.add(frame(4))).toBe(false);
  });

  test('has no parts where some of it was aborted', () => {
    const aborted = { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] };
    const one = feed();
    one.add(frame(0, 3, aborted));
    expect(read(one, 0, 1)).toEqual([0, 1, 2]);
    expect(read(one, 1)).toBeUndefined();
    expect(one.read(0, 1)?.abortedTransactions).toEqual(aborted.abortedTransactions);
  });
});
