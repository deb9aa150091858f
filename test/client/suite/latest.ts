import { expect, expectTypeOf, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { Latest } from '../../../src/client/latest.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { newTopic, suite, textOf, useClient } from './reach.ts';

const contentOf = (latest: Latest) =>
  new Map(Array.from(latest, ([key, record]) => [textOf(key), textOf(record.value)]));

/** What `latest` promises. */
export const latestOf = suite('latest', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made));

  test('what is there, and then what comes', async () => {
    const { name } = await newTopic(reach, client, { partitions: 3 });
    const send = (key: string, value: string | null) => client.send(name, { key, value });
    for (const [key, value] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['c', '1'],
      ['c', null],
    ] as const)
      await send(key, value);
    await client.send(name, { value: 'no key' });
    await using latest = await client.latest(name);
    expect(contentOf(latest)).toEqual(
      new Map([
        ['a', '2'],
        ['b', '1'],
      ]),
    );
    expect(latest.size).toBe(2);
    expect(latest.has('c')).toBe(false);
    expect(textOf(latest.get(Buffer.from('a'))?.value ?? null)).toBe('2');
    const changes = latest.changes();
    // It hears from the call on, not from the first `next`.
    await send('d', '1');
    await expect.poll(() => latest.get('d')?.topic).toBe(name);
    expect(textOf((await changes.next()).value?.value ?? null)).toBe('1');
    const second = changes.next();
    await send('a', null);
    expect((await second).value?.value).toBeNull();
    expect(new Set([...latest.keys()].map(textOf))).toEqual(new Set(['b', 'd']));
    latest.close();
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    await latest.closed;
  });

  test('a topic with types; a tombstone needs no valid value', async () => {
    const { name } = await newTopic(reach, client);
    const prices = topic(name, { key: serde.string, value: serde.json<{ eur: number }>() });
    await client.send(prices, [
      { key: 'x', value: { eur: 1 } },
      { key: 'y', value: { eur: 2 } },
      { key: 'x', value: { eur: 3 } },
    ]);
    await client.send(name, { key: 'y', value: null });
    const latest = await client.latest(prices, { live: false });
    await latest.closed;
    expectTypeOf(latest.get('x')?.value).toEqualTypeOf<{ eur: number } | undefined>();
    expect([...latest].map(([key, { value, offset }]) => [key, value.eur, offset])).toEqual([['x', 3, 2]]);
  });
});
