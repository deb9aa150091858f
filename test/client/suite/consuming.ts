import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { Consuming, type GroupProtocol, numbered, some, valueOf } from './consuming-world.ts';
import { type Reach, suite, textOf } from './reach.ts';

/** What a consumer promises that has its group to itself, by either protocol of groups. */
export function consuming(reach: Reach): void {
  consumingBy('classic')(reach);
  consumingBy('consumer')(reach);
}

const consumingBy = (groupProtocol: GroupProtocol) =>
  suite(`consuming, ${groupProtocol}`, (reach) => {
    const world = new Consuming(reach, groupProtocol);
    const { written, write, consume } = world;

    describe('for await', () => {
      test('asking for the next record acks the last; leaving keeps the current one', async () => {
        const name = await written(numbered(10));
        const group = reach.place.name('group');
        const seen: string[] = [];
        for await (const record of consume(name, { group })) {
          seen.push(valueOf(record));
          if (seen.length === 4) break;
        }
        expect(seen).toEqual(numbered(4));
        const next = consume(name, { group });
        expect((await some(next, 1)).map(valueOf)).toEqual(['v3']);
        await next.return();
      });

      test('unless it was acked', async () => {
        const name = await written(numbered(10));
        const group = reach.place.name('group');
        for await (const record of consume(name, { group })) {
          record.ack();
          record.ack();
          break;
        }
        const next = consume(name, { group });
        expect((await some(next, 1)).map(valueOf)).toEqual(['v1']);
        await next.return();
      });

      test('a throw leaves as a break does, and comes out', async () => {
        const name = await written(numbered(3));
        const group = reach.place.name('group');
        const consumer = consume(name, { group });
        const work = async () => {
          for await (const record of consumer) if (valueOf(record) === 'v1') throw new Error('no good');
        };
        await expect(work()).rejects.toThrow('no good');
        expect(consumer.status).toBe('closed');
        const next = consume(name, { group });
        expect((await some(next, 1)).map(valueOf)).toEqual(['v1']);
        await next.return();
      });

      test('closed by somebody else it ends; what was asked for is acked', async () => {
        const name = await written(numbered(3));
        const group = reach.place.name('group');
        const consumer = consume(name, { group });
        const seen: string[] = [];
        const reading = (async () => {
          for await (const record of consumer) {
            seen.push(valueOf(record));
            if (seen.length === 2) void consumer.close();
          }
        })();
        await reading;
        expect(seen).toEqual(numbered(2));
        await consumer.close();
        expect((await consumer.next()).done).toBe(true);
        const next = consume(name, { group });
        expect((await some(next, 1)).map(valueOf)).toEqual(['v2']);
        await next.return();
      });

      test('records have what they were written with, and the types their topic says', async () => {
        const name = await written([]);
        const typed = topic(name, { key: serde.string, value: serde.json<{ n: number }>() });
        await world.client.send(typed, {
          key: 'a',
          value: { n: 1 },
          headers: { h: 'x' },
          timestamp: 1_700_000_000_000,
        });
        const consumer = world.client.consumer({
          groupProtocol,
          group: reach.place.name('group'),
          topics: [typed],
        });
        for await (const record of consumer) {
          expect(record.key).toBe('a');
          expect(record.value.n).toBe(1);
          expect(record.signal.aborted).toBe(false);
          const { partition, offset, timestamp } = record;
          expect({ partition, offset, timestamp }).toEqual({
            partition: 0,
            offset: 0,
            timestamp: 1_700_000_000_000,
          });
          expect(record.headers.map(({ key, value }) => [key, textOf(value)])).toEqual([['h', 'x']]);
          break;
        }
      });

      test('a record that is not what its topic says: skipped, told or thrown', async () => {
        const name = await written(['{"n":1}', 'no json', '{"n":3}']);
        const typed = topic(name, { value: serde.json<{ n: number }>() });
        const skipping = world.client.consumer({
          groupProtocol,
          group: reach.place.name('group'),
          topics: typed,
          onInvalid: 'skip',
        });
        const seen: number[] = [];
        for await (const { value } of skipping) if (seen.push(value.n) === 2) break;
        expect(seen).toEqual([1, 3]);
        const throwing = world.client.consumer({
          groupProtocol,
          group: reach.place.name('group'),
          topics: typed,
        });
        expect((await throwing.next()).value?.value.n).toBe(1);
        await expect(throwing.next()).rejects.toMatchObject({ code: 'INVALID_RECORD_VALUE' });
        expect(throwing.status).toBe('failed');
      });
    });

    describe('positions', () => {
      test('by hand: nothing is committed unless asked', async () => {
        const name = await written(numbered(6));
        const group = reach.place.name('group');
        const options = { group, autoCommit: false };
        const first = consume(name, options);
        await some(first, 3);
        await first.return();
        const second = consume(name, options);
        expect((await some(second, 3)).map(valueOf)).toEqual(numbered(3));
        await second.commit();
        await second.return();
        const third = consume(name, options);
        expect((await some(third, 1)).map(valueOf)).toEqual(['v2']);
        await third.return();
      });

      /** plt#412: lag was wrong after commit(). */
      test('lag is right at once: before, while and after a commit', async () => {
        const name = await written(numbered(10), 2);
        const consumer = consume(name);
        await some(consumer, 4);
        const lag = async () => (await consumer.lag()).reduce((sum, one) => sum + one.lag, 0);
        expect(await lag()).toBe(7);
        await consumer.commit();
        expect(await lag()).toBe(7);
        await write(name, numbered(2), 2);
        expect(await lag()).toBe(9);
        await some(consumer, 8);
        await consumer.commit();
        expect(await lag()).toBe(1);
        await consumer.return();
      });

      test('seek: an offset, the beginning, a time', async () => {
        const name = await written(numbered(10));
        const consumer = consume(name);
        await some(consumer, 5);
        const at = { topic: name, partition: 0 };
        consumer.seek(at, 2);
        expect((await some(consumer, 2)).map(valueOf)).toEqual(['v2', 'v3']);
        consumer.seek(at, 'earliest');
        expect((await some(consumer, 1)).map(valueOf)).toEqual(['v0']);
        await world.client.send(name, { value: 'late', timestamp: Date.now() + 60_000 });
        consumer.seek(at, { time: Date.now() + 30_000 });
        expect((await some(consumer, 1)).map(valueOf)).toEqual(['late']);
        expect(() => consumer.seek({ topic: name, partition: 7 }, 0)).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
        );
        await consumer.return();
      });

      /** plt#170: pause and resume killed the stream. */
      test('pause and resume: nothing is given meanwhile, nothing is missing, nothing comes twice', async () => {
        const name = await written(numbered(20), 2);
        const consumer = consume(name);
        const [first] = await some(consumer, 1);
        const paused = { topic: name, partition: first?.partition ?? 0 };
        consumer.pause([paused]);
        const others = await some(consumer, 10);
        expect(new Set(others.map(({ partition }) => partition))).toEqual(new Set([1 - paused.partition]));
        consumer.resume([paused]);
        const rest = await some(consumer, 9);
        const all = [first as ConsumedRecord, ...others, ...rest].map(valueOf);
        expect(all.toSorted()).toEqual(numbered(20).toSorted());
        consumer.pause();
        await write(name, ['more'], 2);
        const next = consumer.next();
        consumer.resume();
        expect(valueOf((await next).value as ConsumedRecord)).toBe('more');
        await consumer.return();
      });

      test('partitions assigned by hand, with positions of a group or without', async () => {
        const name = await written(numbered(10), 2);
        const assign = [{ topic: name, partition: 1, from: -2 }];
        const alone = world.client.consumer({ assign });
        expect((await some(alone, 2)).map(valueOf)).toEqual(['v7', 'v9']);
        expect(alone.assignment).toEqual([{ topic: name, partition: 1 }]);
        await expect(alone.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
        await alone[Symbol.asyncDispose]();
        const group = reach.place.name('group');
        const first = world.client.consumer({ group, assign: [{ topic: name, partition: 0 }] });
        await some(first, 3);
        await first.return();
        const second = world.client.consumer({ group, assign: [{ topic: name, partition: 0 }] });
        expect((await some(second, 1)).map(valueOf)).toEqual(['v4']);
        await second.return();
      });
    });

    test('topics by pattern, those that come later too', async () => {
      const prefix = reach.place.name('pattern');
      const topicNamed = (name: string) => world.client.admin.topics.create(name);
      await topicNamed(`${prefix}-a`);
      await topicNamed(`other-${prefix}`);
      // No broker resolves it.
      const pattern = new RegExp(`^${prefix}-(?!x)`, 'g');
      const consumer = world.client.consumer({
        groupProtocol,
        group: reach.place.name('group'),
        pattern,
        metadataMaxAgeMs: 20,
      });
      await world.client.send(`${prefix}-a`, { value: 'one' });
      expect((await some(consumer, 1)).map(valueOf)).toEqual(['one']);
      await topicNamed(`${prefix}-b`);
      const next = consumer.next();
      await world.client.send(`${prefix}-b`, { value: 'two' });
      expect(valueOf((await next).value as ConsumedRecord)).toBe('two');
      await consumer.return();
    });

    test('status tells what is so, from before the first record to the end', async () => {
      const name = await written(numbered(2));
      const consumer = consume(name);
      expect(consumer.status).toBe('idle');
      const next = consumer.next();
      expect(consumer.status).toBe('joining');
      await next;
      expect(consumer.status).toBe('running');
      const closing = consumer.return();
      expect(consumer.status).toBe('closing');
      await closing;
      expect(consumer.status).toBe('closed');
      expect(consumer.assignment).toEqual([]);
    });
  });
