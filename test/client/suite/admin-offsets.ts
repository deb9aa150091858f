import { beforeAll, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { newTopic, suite, useClient } from './reach.ts';

/** Offsets by position and time, and records that are deleted. */
export const adminOffsets = suite('admin: offsets', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 2_000 });
  let name: string;
  beforeAll(async () => {
    ({ name } = await newTopic(reach, client, { partitions: 2 }));
    const at = (timestamp: number) => ({ value: 'x', timestamp, partition: 0 });
    await client.send(name, [at(1000), at(3000), at(2000)]);
  });

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

  test('records that would be deleted', async () => {
    const { records } = client.admin;
    const dry = await records.delete(name, { before: 'latest', dryRun: true });
    expect(dry).toEqual([
      { topic: name, partition: 0, startOffset: 3 },
      { topic: name, partition: 1, startOffset: 0 },
    ]);
    expect(await records.delete(name, { before: 2, partitions: [0], dryRun: true })).toEqual([
      { topic: name, partition: 0, startOffset: 2 },
    ]);
  });

  test('records are deleted', async () => {
    const { records, offsets } = client.admin;
    const { name: own } = await newTopic(reach, client, { partitions: 2 });
    await client.send(
      own,
      ['a', 'b', 'c'].map((value) => ({ value, partition: 0 })),
    );
    const deleted = await records.delete(own, { before: 1, partitions: [0] });
    expect(deleted).toEqual([{ topic: own, partition: 0, startOffset: 1 }]);
    const starts = await offsets.list(own, { at: 'earliest' });
    expect(starts.map(({ offset }) => offset)).toEqual([1, 0]);
    const left: number[] = [];
    for await (const { offset } of client.read(own, { live: false })) left.push(offset);
    expect(left).toEqual([1, 2]);
  });

  test('records of a topic that is only compacted are not: its policy says so', async () => {
    const { name: own } = await newTopic(reach, client, { configs: { 'cleanup.policy': 'compact' } });
    await expect(client.admin.records.delete(own, { before: 'latest' })).rejects.toMatchObject({
      code: 'POLICY_VIOLATION',
    });
  });
});
