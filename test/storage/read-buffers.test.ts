import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';
import { ReadBuffers } from '../../src/hosts/node/read-buffers.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { type Door, clientsUse, dial, doorOptions } from '../gateway/doors.ts';
import { RawClient } from '../gateway/raw-client.ts';
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
const BATCH_BYTES = 200_000;
const BATCHES_A_FETCH = 3;

const DOORS: readonly Door[] = ['tcp', 'websocket'];
afterAll(() => clientsUse('tcp'));

test.each(DOORS)('clients over %s each get what they ask for, from memory and from files', async (door) => {
  clientsUse(door);
  const directory = await mkdtemp(join(tmpdir(), 'milena-buffers-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const batches = Array.from({ length: BATCHES }, (_, number) => {
    const value = new Uint8Array(BATCH_BYTES).fill(number);
    return buildBatch(kernels, { records: [{ value, timestamp: 1 }] });
  });
  const options = { directory, flush: 'never', ...doorOptions() } as const;
  const writer = await Broker.start(options);
  await write(writer, batches);
  expect(await misread(writer, batches)).toEqual([]);
  await writer.close();
  const reader = await Broker.start(options);
  expect(await misread(reader, batches)).toEqual([]);
  await reader.close();
});

async function write(broker: Broker, batches: readonly Uint8Array[]): Promise<void> {
  const client = new RawClient(await dial(broker));
  const topic = { name: 'read', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  await client.send(createTopicsApi, 5, { topics: [topic] });
  for (const records of batches) {
    const topicData = [{ name: 'read', partitionData: [{ index: 0, records }] }];
    await client.send(produceApi, 7, { acks: -1, timeoutMs: 60_000, topicData });
  }
  client.destroy();
}

/** Three clients, each with a fetch in flight for every offset. @returns where they got something else. */
async function misread(broker: Broker, batches: readonly Uint8Array[]): Promise<number[]> {
  const maxBytes = (BATCHES_A_FETCH + 0.5) * BATCH_BYTES;
  const readers = await Promise.all([0, 1, 2].map(async () => new RawClient(await dial(broker))));
  const wrong = readers.flatMap((reader) =>
    batches.map(async (_, fetchOffset) => {
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: maxBytes }];
      const topics = [{ topic: 'read', partitions }];
      const { responses } = await reader.send(fetchApi, 11, {
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes,
        topics,
      });
      const records = responses[0]?.partitions[0]?.records ?? new Uint8Array(0);
      const found = split(records).map(contentOf);
      const expected = batches.slice(fetchOffset, fetchOffset + BATCHES_A_FETCH).map(contentOf);
      return found.length === expected.length && found.every((bytes, at) => bytes.equals(expected[at]!))
        ? []
        : [fetchOffset];
    }),
  );
  const found = (await Promise.all(wrong)).flat();
  for (const reader of readers) reader.destroy();
  return found;
}

function split(records: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  forEachBatch(records, ({ bytes }) => found.push(bytes));
  return found;
}

/** Without the base offset and the leader epoch, which are the broker's. */
function contentOf(batch: Uint8Array): Buffer {
  return Buffer.from(batch.buffer, batch.byteOffset + 16, batch.length - 16);
}
