import { describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { Consumer } from '../../../src/client/consumer/consumer.ts';
import type { ConsumerOptions } from '../../../src/client/consumer/options.ts';
import { eventually } from '../../clients/fixture.ts';
import { consumerGroupDescribeApi } from '../../../src/wire/apis/69-consumer-group-describe.ts';
import { connectRaw, newTopic, type Reach, suite } from './reach.ts';

interface Load {
  client: Client;
  topic: string;
  /** How often each record was done, by partition and offset. */
  done: Map<string, number>;
  written: number;
}

async function start(reach: Reach): Promise<Load> {
  const client = await reach.connect();
  const { name: topic } = await newTopic(reach, client, { partitions: 6 });
  return { client, topic, done: new Map(), written: 0 };
}

async function write(load: Load, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, at) => ({ value: `v${at}`, key: `k${at % 17}` }));
  await load.client.send(load.topic, records);
  load.written += count;
}

type Options = Partial<ConsumerOptions<Uint8Array | null, Uint8Array | null>>;

interface Working {
  consumer: Consumer;
  over: Promise<void>;
}

/** Works a moment on each record, then says that it is done. */
function member(load: Load, group: string, options: Options, how: 'for await' | 'run'): Working {
  const { client, topic, done } = load;
  const quick = { autoCommit: { intervalMs: 10 } };
  const beats = options.groupProtocol === 'consumer' ? {} : { heartbeatIntervalMs: 20 };
  const consumer = client.consumer({ group, topics: topic, ...quick, ...beats, ...options });
  const work = async ({ partition, offset }: { partition: number; offset: number }) => {
    await new Promise((resolve) => setImmediate(resolve));
    const title = `${partition}/${offset}`;
    done.set(title, (done.get(title) ?? 0) + 1);
  };
  const iterate = async () => {
    for await (const record of consumer) await work(record);
  };
  const over = how === 'run' ? consumer.run(work, { concurrency: 8, order: 'key' }) : iterate();
  return { consumer, over };
}

/** Several consumers of one group, while records are written and members come and go. */
export const sharing = suite('sharing', (reach) => {
  describe('duplicates on revoke: none, and none is lost, while members come and go under load', () => {
    test.each([
      ['for await', { assignors: ['cooperative-sticky'] }],
      ['run', { assignors: ['cooperative-sticky'] }],
      ['for await', { assignors: ['range'] }],
      ['run', { assignors: ['range'] }],
      ['run', { assignors: ['sticky'] }],
      ['for await', { assignors: ['roundrobin'] }],
      ['for await', { groupProtocol: 'consumer' }],
      ['run', { groupProtocol: 'consumer' }],
      ['run', { groupProtocol: 'consumer', remoteAssignor: 'range' }],
    ] as const)('%s, %o', async (how, options) => {
      const load = await start(reach);
      const group = reach.place.name('group');
      const join = () => member(load, group, options, how);
      const members = [join()];
      const share = () => members.flatMap(({ consumer }) => consumer.assignment).length;
      const isShared = () => share() === 6 && members.every(({ consumer }) => consumer.assignment.length > 0);
      await write(load, 200);
      for (const size of [2, 3, 2, 4, 1, 2]) {
        while (members.length < size) members.push(join());
        while (members.length > size) {
          const leaving = members.shift();
          await leaving?.consumer.close();
          await leaving?.over;
        }
        await write(load, 300);
        await eventually(isShared);
      }
      await eventually(() => load.done.size === load.written);
      for (const { consumer } of members) await consumer.close();
      expect([...load.done.values()].filter((times) => times > 1)).toEqual([]);
      const after = load.client.consumer({ group, topics: load.topic });
      const next = after.next();
      await eventually(() => after.assignment.length === 6);
      expect((await after.lag()).reduce((sum, { lag }) => sum + lag, 0)).toBe(0);
      await load.client.close();
      expect((await next).done).toBe(true);
    });
  });

  describe('members', () => {
    test('one that stops without a word: another does what it left, again where it had not committed', async () => {
      const load = await start(reach);
      const group = reach.place.name('group');
      const dying = await reach.connect();
      const first = member({ ...load, client: dying }, group, { sessionTimeoutMs: 300 }, 'for await');
      await write(load, 100);
      await eventually(() => load.done.size === 100);
      // Its sockets go, and nothing is said.
      await Promise.allSettled([dying.close({ timeoutMs: 0 }), first.over]);
      const second = member(load, group, {}, 'for await');
      await write(load, 100);
      await eventually(() => load.done.size === 200);
      expect(second.consumer.assignment).toHaveLength(6);
      await second.consumer.close();
      await load.client.close();
    });
  });

  describe.each([{ groupProtocol: 'classic' }, { groupProtocol: 'consumer' }] as const)(
    'members by %o',
    (by) => {
      test('closed during a rebalance: all settle, what was done is committed, and another goes on', async () => {
        const load = await start(reach);
        const group = reach.place.name('group');
        const isClassic = by.groupProtocol === 'classic';
        const options: Options = isClassic ? { assignors: ['range'] } : { ...by, remoteAssignor: 'range' };
        const first = member(load, group, options, 'for await');
        await write(load, 100);
        await eventually(() => load.done.size === 100);
        // Each of them makes the group share out anew; some are still joining when they are closed.
        const others = Array.from({ length: 3 }, () => member(load, group, options, 'run'));
        await eventually(() => first.consumer.status === 'joining' || first.consumer.assignment.length < 6);
        const all = [first, ...others];
        await Promise.all(all.map(({ consumer }) => consumer.close()));
        await Promise.all(all.map(({ over }) => over));
        expect(all.map(({ consumer }) => consumer.status)).toEqual(all.map(() => 'closed'));
        const next = member(load, group, options, 'run');
        await write(load, 100);
        await eventually(() => load.done.size === 200);
        expect([...load.done.values()].filter((times) => times > 1)).toEqual([]);
        await next.consumer.close();
        await load.client.close();
      });

      test('a static member is back before its session ends: it goes on, and the other is not disturbed', async () => {
        const load = await start(reach);
        const group = reach.place.name('group');
        const [steady, before] = ['a', 'b'].map((instanceId) =>
          member(load, group, { ...by, instanceId }, 'run'),
        );
        const assigned = (one: Working | undefined) => one?.consumer.assignment ?? [];
        await eventually(() => assigned(steady).length === 3 && assigned(before).length === 3);
        const had = assigned(steady);
        const left = assigned(before);
        await before?.consumer.close();
        const after = member(load, group, { ...by, instanceId: 'b' }, 'run');
        await eventually(() => assigned(after).length === 3);
        expect(assigned(after)).toEqual(left);
        expect(assigned(steady)).toEqual(had);
        await write(load, 100);
        await eventually(() => load.done.size === 100);
        await load.client.close();
      });

      test('partitions are added: they are shared too', async () => {
        const load = await start(reach);
        const group = reach.place.name('group');
        const members = [1, 2].map(() => member(load, group, { ...by, metadataMaxAgeMs: 20 }, 'run'));
        const share = () => members.flatMap(({ consumer }) => consumer.assignment).length;
        await eventually(() => share() === 6);
        await load.client.admin.topics.createPartitions(load.topic, 9);
        await eventually(() => share() === 9);
        await write(load, 300);
        await eventually(() => load.done.size === 300);
        expect(members.map(({ consumer }) => consumer.status)).toEqual(['running', 'running']);
        await load.client.close();
      });
    },
  );

  test('a pattern is the broker’s to resolve, by KIP-848', async () => {
    const load = await start(reach);
    const group = reach.place.name('group');
    const others = [await newTopic(reach, load.client), await newTopic(reach, load.client)];
    const [wanted = '', unwanted = ''] = others.map(({ name }) => name);
    const pattern = new RegExp(`^(?:${load.topic}|${wanted})$`);
    const options = { topics: undefined, groupProtocol: 'consumer', pattern } as const;
    const { consumer } = member(load, group, options, 'run');
    await eventually(() => consumer.assignment.length === 7);
    expect(consumer.assignment.map(({ topic }) => topic)).not.toContain(unwanted);
    const raw = await connectRaw(reach);
    const asked = { groupIds: [group], includeAuthorizedOperations: false };
    const { groups } = await raw.send(consumerGroupDescribeApi, 1, asked);
    expect(groups[0]?.members).toMatchObject([
      { subscribedTopicNames: [], subscribedTopicRegex: `.*(?:${pattern.source}).*` },
    ]);
    await load.client.close();
  });
});
