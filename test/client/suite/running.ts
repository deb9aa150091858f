import { expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import { Consuming, type GroupProtocol, numbered, some, valueOf } from './consuming-world.ts';
import { type Reach, suite, textOf } from './reach.ts';

/** What `run` promises, by either protocol of groups. */
export function running(reach: Reach): void {
  runningBy('classic')(reach);
  runningBy('consumer')(reach);
}

const runningBy = (groupProtocol: GroupProtocol) =>
  suite(`running, ${groupProtocol}`, (reach) => {
    const world = new Consuming(reach, groupProtocol);
    const { written, write, consume } = world;

    test('each once, those of a key in order, as many at once as told', async () => {
      const name = await written(numbered(200), 3);
      const consumer = consume(name);
      const byKey = new Map<string, number[]>();
      let inWork = 0;
      let most = 0;
      let count = 0;
      await consumer.run(
        async (record) => {
          most = Math.max(most, ++inWork);
          const key = `${record.partition}/${textOf(record.key)}`;
          byKey.set(key, [...(byKey.get(key) ?? []), record.offset]);
          await new Promise((resolve) => setImmediate(resolve));
          inWork--;
          if (++count === 200) void consumer.close();
        },
        { concurrency: 8, order: 'key' },
      );
      expect(most).toBe(8);
      expect(count).toBe(200);
      for (const offsets of byKey.values()) expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    });

    test('more than may wait, of one partition where more could be worked on: all come', async () => {
      const name = await written([]);
      for (let from = 0; from < 2_500; from += 500) await write(name, numbered(500, from));
      const consumer = consume(name);
      const seen: string[] = [];
      await consumer.run(
        async (record) => {
          await new Promise((resolve) => setImmediate(resolve));
          if (seen.push(valueOf(record)) === 2_500) void consumer.close();
        },
        { concurrency: 8 },
      );
      expect(seen).toEqual(numbered(2_500));
    });

    test('what waits of a paused partition keeps no other from coming', async () => {
      const name = await written(numbered(4_000), 2);
      const consumer = consume(name);
      const seen: ConsumedRecord[] = [];
      const running = consumer.run((record) => {
        if (seen.push(record) === 1) consumer.pause([record]);
        if (seen.length === 2_001) consumer.resume();
        if (seen.length === 4_000) void consumer.close();
      });
      await running;
      const [first, ...others] = seen.slice(0, 2_001).map(({ partition }) => partition);
      expect(new Set(others)).toEqual(new Set([1 - (first ?? 0)]));
      expect(seen.map(valueOf).toSorted()).toEqual(numbered(4_000).toSorted());
    });

    test('nor does a partition whose first record takes long', async () => {
      const name = await written(numbered(4_000), 2);
      const consumer = consume(name);
      const others = Promise.withResolvers<void>();
      const seen: ConsumedRecord[] = [];
      await consumer.run(
        async (record) => {
          if (seen.push(record) === 2_001) others.resolve();
          if (seen.length === 1) await others.promise;
          if (seen.length === 4_000) void consumer.close();
        },
        { concurrency: 2, order: 'partition' },
      );
      const [first, ...more] = seen.slice(0, 2_001).map(({ partition }) => partition);
      expect(new Set(more)).toEqual(new Set([1 - (first ?? 0)]));
    });

    test('handlers that are not async (kjs#1056): done with when they return, failed when they throw', async () => {
      const name = await written(numbered(3));
      const group = reach.place.name('group');
      const seen: string[] = [];
      const running = consume(name, { group }).run((record) => {
        if (seen.push(valueOf(record)) === 3) throw new Error('no good');
      });
      await expect(running).rejects.toThrow('no good');
      expect(seen).toEqual(numbered(3));
      const next = consume(name, { group });
      expect((await some(next, 1)).map(valueOf)).toEqual(['v2']);
      await next.return();
    });

    test('what fails is tried again, then goes to the dead letter topic with the reason', async () => {
      const name = await written(numbered(3));
      const deadLetter = await written([]);
      const group = reach.place.name('group');
      const consumer = consume(name, { group });
      const attempts: string[] = [];
      await consumer.run(
        (record) => {
          attempts.push(valueOf(record));
          if (valueOf(record) === 'v1') throw new Error('poison');
          if (valueOf(record) === 'v2') void consumer.close();
        },
        { retry: 2, deadLetter },
      );
      expect(attempts).toEqual(['v0', 'v1', 'v1', 'v1', 'v2']);
      for await (const record of world.client.read(deadLetter, { live: false })) {
        expect(valueOf(record)).toBe('v1');
        const headers = Object.fromEntries(record.headers.map(({ key, value }) => [key, textOf(value)]));
        expect(headers).toMatchObject({ 'dead-letter-topic': name, 'dead-letter-offset': '1' });
        expect(headers['dead-letter-reason']).toContain('poison');
      }
      const next = consume(name, { group });
      await write(name, ['v3']);
      expect((await some(next, 1)).map(valueOf)).toEqual(['v3']);
      await next.return();
    });

    test('without one it ends the run, and is read again by whoever comes next', async () => {
      const name = await written(numbered(5));
      const group = reach.place.name('group');
      const consumer = consume(name, { group });
      const running = consumer.run(async (record) => {
        if (valueOf(record) === 'v2') throw new Error('no good');
      });
      await expect(running).rejects.toThrow('no good');
      expect(consumer.status).toBe('failed');
      const next = consume(name, { group });
      expect((await some(next, 1)).map(valueOf)).toEqual(['v2']);
      await next.return();
    });

    test('aborted, what is begun is finished and committed first', async () => {
      const name = await written(numbered(5));
      const group = reach.place.name('group');
      const consumer = consume(name, { group });
      const controller = new AbortController();
      const done: string[] = [];
      const running = consumer.run(
        async (record) => {
          if (valueOf(record) === 'v1') controller.abort(new Error('enough'));
          await new Promise((resolve) => setTimeout(resolve, 5));
          expect(record.signal.aborted).toBe(false);
          done.push(valueOf(record));
        },
        { signal: controller.signal },
      );
      await expect(running).rejects.toThrow('enough');
      expect(done).toEqual(['v0', 'v1']);
      const next = consume(name, { group });
      expect((await some(next, 1)).map(valueOf)).toEqual(['v2']);
      await next.return();
    });
  });
