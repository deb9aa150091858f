import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';
import { ReadBuffers } from '../../src/hosts/node/read-buffers.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { Connection } from '../crash/connection.ts';
import { kernels } from './batches.ts';

const MEGABYTE = 1024 * 1024;

test('what a socket has sent is lent again, and holds at most twice what is asked for', () => {
  const buffers = new ReadBuffers();
  const lent = buffers.take(MEGABYTE + 8_253);
  expect(lent).toHaveLength(MEGABYTE + 8_253);
  const sent = buffers.sending(lent.subarray(10, 20));
  expect(buffers.take(MEGABYTE).buffer).not.toBe(lent.buffer);
  sent?.(null);
  const again = buffers.take(MEGABYTE);
  expect(again).toHaveLength(MEGABYTE);
  expect(again.buffer).toBe(lent.buffer);
  for (const sizeBytes of [1, 1_000, 64 * 1024, 64 * 1024 + 1, 600_000, MEGABYTE * 1.07, 40 * MEGABYTE])
    expect(buffers.take(sizeBytes).buffer.byteLength).toBeLessThanOrEqual(2 * Math.ceil(sizeBytes));
});

test('a buffer sent in several chunks is lent again after the last one', () => {
  const buffers = new ReadBuffers();
  const lent = buffers.take(MEGABYTE);
  const sent = [buffers.sending(lent.subarray(0, 5)), buffers.sending(lent.subarray(5))];
  sent[0]?.();
  expect(buffers.take(MEGABYTE).buffer).not.toBe(lent.buffer);
  sent[1]?.();
  expect(buffers.take(MEGABYTE).buffer).toBe(lent.buffer);
});

test('what was not sent, was not lent or is not worth it is never lent again', () => {
  const buffers = new ReadBuffers();
  const failed = buffers.take(MEGABYTE);
  buffers.sending(failed)?.(new Error('the client has gone'));
  expect(buffers.take(MEGABYTE).buffer).not.toBe(failed.buffer);
  expect(buffers.sending(new Uint8Array(MEGABYTE))).toBeUndefined();
  expect(buffers.sending(buffers.take(1_000))).toBeUndefined();
  expect(buffers.sending(buffers.take(8 * MEGABYTE))).toBeUndefined();
});

test('so much is kept and no more', () => {
  const buffers = new ReadBuffers();
  const lent = Array.from({ length: 40 }, () => buffers.take(MEGABYTE));
  for (const bytes of lent) buffers.sending(bytes)?.();
  const known = new Set(lent.map(({ buffer }) => buffer));
  const again = Array.from({ length: 40 }, () => buffers.take(MEGABYTE).buffer);
  expect(again.filter((buffer) => known.has(buffer))).toHaveLength(15);
  expect(new Set(again).size).toBe(40);
});

const BATCHES = 40;
const BATCH_BYTES = 400_000;

test('clients that read from files side by side each get what they asked for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'milena-buffers-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const writer = await Broker.start({ directory, flush: 'never' });
  const connection = await Connection.open(writer.kafka.port);
  const topic = { name: 'cold', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  await connection.request(createTopicsApi, 5, { topics: [topic] });
  const batches = Array.from({ length: BATCHES }, (_, number) => {
    const value = new Uint8Array(BATCH_BYTES).fill(number);
    return buildBatch(kernels, { records: [{ value, timestamp: 1 }] });
  });
  for (const records of batches) {
    const topicData = [{ name: 'cold', partitionData: [{ index: 0, records }] }];
    await connection.request(produceApi, 7, { acks: -1, timeoutMs: 60_000, topicData });
  }
  connection.close();
  await writer.close();

  const broker = await Broker.start({ directory, flush: 'never' });
  const readers = await Promise.all([0, 1, 2].map(() => Connection.open(broker.kafka.port)));
  const answers = readers.flatMap((reader) =>
    batches.map(async (batch, fetchOffset) => {
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: BATCH_BYTES }];
      const topics = [{ topic: 'cold', partitions }];
      const body = { maxWaitMs: 0, minBytes: 1, maxBytes: BATCH_BYTES, topics };
      const { responses } = await reader.request(fetchApi, 11, body);
      const records = responses[0]?.partitions[0]?.records ?? new Uint8Array(0);
      // Base offset and leader epoch are the broker's.
      return Buffer.compare(records.subarray(16), batch.subarray(16)) === 0;
    }),
  );
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]));
  for (const reader of readers) reader.close();
  await broker.close();
});
