import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { text } from '../clients/fixture.ts';
import { useEdge } from './place.ts';

const place = useEdge();
const ROUNDS = 3;
const PARTITIONS = 3;

describe('workerd is killed under load, and started again', () => {
  test('all that was acknowledged is there, once, and in order', { timeout: 90_000 }, async () => {
    const client = await connect(place.url);
    onTestFinished(() => client.close());
    const topic = place.name('survives');
    await client.admin.topics.create(topic, { partitions: PARTITIONS });
    const producer = client.producer({ lingerMs: 1 });
    const acked: { value: string; partition: number; offset: number }[] = [];
    let sent = 0;
    const send = async () => {
      const value = String(sent++);
      const { partition, offset } = await producer.send(topic, { value, partition: sent % PARTITIONS });
      acked.push({ value, partition, offset });
    };
    for (let round = 0; round < ROUNDS; round++) {
      const before = acked.length;
      const sending = Array.from({ length: 200 }, send);
      while (acked.length < before + 50) await Promise.race(sending.slice(acked.length - before));
      await place.kill();
      await place.start();
      await Promise.all(sending);
    }
    const twice: string[] = [];
    const found = new Map<string, { partition: number; offset: number }>();
    for await (const { value, partition, offset } of client.read(topic, { from: 'earliest', live: false })) {
      const name = String(text(value));
      if (found.has(name)) twice.push(name);
      found.set(name, { partition, offset });
    }
    for (const { value, partition, offset } of acked)
      expect({ value, ...found.get(value) }).toEqual({ value, partition, offset });
    expect([found.size, twice]).toEqual([sent, []]);
  });

  test('a group goes on where it was, and transactions go on', { timeout: 90_000 }, async () => {
    const client = await connect(place.url);
    onTestFinished(() => client.close());
    const topic = place.name('goes-on');
    await client.admin.topics.create(topic);
    await client.send(
      topic,
      ['a', 'b', 'c'].map((value) => ({ value })),
    );
    const group = place.name('group');
    /** Leaving keeps the record it leaves with. */
    const readUntil = async (last: string) => {
      const values: string[] = [];
      for await (const record of client.consumer({ group, topics: topic })) {
        values.push(String(text(record.value)));
        if (values.at(-1) === last) break;
      }
      return values;
    };
    expect(await readUntil('c')).toEqual(['a', 'b', 'c']);
    await place.kill();
    await place.start();
    await client.transaction(place.name('tx'), (transaction) => transaction.send(topic, { value: 'd' }));
    expect(await readUntil('d')).toEqual(['c', 'd']);
  });
});
