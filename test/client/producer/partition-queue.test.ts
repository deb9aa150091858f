import { expect, test } from 'vitest';
import { Batch } from '../../../src/client/producer/batch.ts';
import { PartitionQueue } from '../../../src/client/producer/partition-queue.ts';
import type { Verdict } from '../../../src/client/producer/verdict.ts';

/** Rules that numbers make good where they are broken, at the price of requests in vain: nothing else shows them. */

const CONNECTION = {};
const ANSWER = { stored: { baseOffset: 0, logAppendTimeMs: -1 }, error: new Error('why') };

function batchOf(recordsCount: number): Batch {
  const content = {
    recordsCount,
    sizeBytes: 1,
    seal: () => new Uint8Array(),
    stored() {},
    failed() {},
    split: () => undefined,
  };
  return new Batch(content, { createdAtMs: 0, deadlineMs: 1_000 });
}

/** A queue whose broker has had a batch of two records, and so many more that wait. */
function queueWith(count: number): {
  queue: PartitionQueue;
  batches: Batch[];
  next: () => Batch | undefined;
} {
  const queue = new PartitionQueue({ topic: 't', partition: 0 }, { isIdempotent: true, sendingMax: 5 });
  queue.identify({ producerId: 7, producerEpoch: 3 });
  const first = batchOf(2);
  queue.push(first);
  queue.send(first, CONNECTION);
  queue.answered(first, 'stored', ANSWER);
  const batches = Array.from({ length: count }, () => batchOf(2));
  for (const batch of batches) queue.push(batch);
  return { queue, batches, next: () => queue.next(0, () => true) };
}

function sendAll({ queue, next }: ReturnType<typeof queueWith>): Batch[] {
  const sent: Batch[] = [];
  for (let batch = next(); batch !== undefined; batch = next()) {
    queue.send(batch, CONNECTION);
    sent.push(batch);
  }
  return sent;
}

test('the first goes alone: to a log that knows nothing of a producer any number is the first', () => {
  const queue = new PartitionQueue({ topic: 't', partition: 0 }, { isIdempotent: true, sendingMax: 5 });
  queue.identify({ producerId: 7, producerEpoch: 3 });
  for (let count = 0; count < 3; count++) queue.push(batchOf(1));
  const first = queue.next(0, () => true);
  expect(first).toBe(queue.batches[0]);
  queue.send(first as Batch, CONNECTION);
  expect(queue.next(0, () => true)).toBeUndefined();
});

test('then five, in order, each under the number that follows', () => {
  const all = queueWith(7);
  const sent = sendAll(all);
  expect(sent).toEqual(all.batches.slice(0, 5));
  expect(sent.map(({ stamp }) => stamp?.baseSequence)).toEqual([2, 4, 6, 8, 10]);
});

test('one that has to go again waits for those sent behind it, and keeps its number', () => {
  const all = queueWith(4);
  const [a, b, c, d] = sendAll(all) as [Batch, Batch, Batch, Batch];
  all.queue.answered(a, 'again', ANSWER);
  all.queue.answered(b, 'again', ANSWER);
  expect(all.next()).toBeUndefined();
  all.queue.answered(c, 'again', ANSWER);
  expect(all.next()).toBeUndefined();
  all.queue.answered(d, 'again', ANSWER);
  expect(sendAll(all)).toEqual([a, b, c, d]);
  expect(a.stamp).toEqual({ producerId: 7, producerEpoch: 3, baseSequence: 2 });
});

test('what can never follow begins a new epoch, with all behind it, once nothing is under way', () => {
  const all = queueWith(3);
  const [a, b, c] = sendAll(all) as [Batch, Batch, Batch];
  const verdicts: [Batch, Verdict][] = [
    [a, 'refused'],
    [b, 'anew'],
  ];
  for (const [batch, verdict] of verdicts) all.queue.answered(batch, verdict, ANSWER);
  expect(all.next()).toBeUndefined();
  all.queue.answered(c, 'again', ANSWER);
  expect(sendAll(all)).toEqual([b, c]);
  expect([b, c].map(({ stamp }) => stamp)).toEqual([
    { producerId: 7, producerEpoch: 4, baseSequence: 0 },
    { producerId: 7, producerEpoch: 4, baseSequence: 2 },
  ]);
});

test('one whose time is up while a broker has it keeps its place until that is answered, and is not sent again', () => {
  const all = queueWith(2);
  const [a, b] = sendAll(all) as [Batch, Batch];
  expect(all.queue.expire(1_000, () => new Error('late'))).toBeUndefined();
  expect(all.queue.batches).toEqual([a, b]);
  all.queue.answered(a, 'again', ANSWER);
  all.queue.answered(b, 'stored', ANSWER);
  expect(all.queue.batches).toEqual([]);
});
