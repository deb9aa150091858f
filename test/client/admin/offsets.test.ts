import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { TestBroker } from '../../gateway/harness.ts';
import { WAYS } from '../ways.ts';

let server: TestBroker;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
});
afterAll(() => server.close());

let count = 0;

describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
  let client: Client;
  let name: string;
  beforeAll(async () => {
    client = await connect(server.broker, { retryForMs: 2_000 });
    name = `admin-offsets-${++count}`;
    await client.admin.topics.create(name, { partitions: 2 });
    const at = (timestamp: number) => ({ value: 'x', timestamp, partition: 0 });
    await client.send(name, [at(1000), at(3000), at(2000)]);
  });
  afterAll(() => client.close());

  test.each([
    ['earliest' as const, [0, 0], [null, null]],
    ['latest' as const, [3, 0], [null, null]],
    ['maxTimestamp' as const, [1, null], [3000, null]],
    [{ time: 1500 } as const, [1, null], [3000, null]],
    [{ time: 3001 } as const, [null, null], [null, null]],
    ['-1s' as const, [null, null], [null, null]],
  ])('%o', async (at, offsets, timestamps) => {
    const listed = await client.admin.offsets.list(name, { at });
    expect(listed.map(({ topic, partition }) => `${topic}/${partition}`)).toEqual([`${name}/0`, `${name}/1`]);
    expect(listed.map(({ offset }) => offset)).toEqual(offsets);
    expect(listed.map(({ timestamp }) => timestamp)).toEqual(timestamps);
  });

  test('of many topics at once, and of none that is there', async () => {
    const other = `${name}-other`;
    await client.admin.topics.create(other);
    const listed = await client.admin.offsets.list([other, name], { isolation: 'read_committed' });
    expect(listed.map(({ topic, offset }) => [topic, offset])).toEqual([
      [other, 0],
      [name, 3],
      [name, 0],
    ]);
    const some = await client.admin.offsets.list([{ topic: name, partition: 1 }, other]);
    expect(some.map(({ topic, partition }) => [topic, partition])).toEqual([
      [name, 1],
      [other, 0],
    ]);
    await expect(client.admin.offsets.list([{ topic: name, partition: 2 }])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: false,
    });
    await expect(client.admin.offsets.list('none')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  test('records are deleted by a broker that can, and else it says so', async () => {
    const { records } = client.admin;
    const dry = await records.delete(name, { before: 'latest', dryRun: true });
    expect(dry).toEqual([
      { topic: name, partition: 0, startOffset: 3 },
      { topic: name, partition: 1, startOffset: 0 },
    ]);
    expect(await records.delete(name, { before: 2, partitions: [0], dryRun: true })).toEqual([
      { topic: name, partition: 0, startOffset: 2 },
    ]);
    await expect(records.delete(name, { before: { time: 2000 } })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('DeleteRecords') as string,
    });
  });
});
