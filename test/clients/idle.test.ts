import { describe, expect, test, vi } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type ClientBroker, eventually, sortedValues, useBroker } from './fixture.ts';
import type { GroupMember, TestGroup } from './group.ts';
import * as kafkajs from './kafkajs.ts';
import * as platformatic from './platformatic.ts';

const PARTITIONS = 3;
const POLLS = 20;
/** How long a fetch waits: short, so that many follow each other. */
const WAIT_MS = 10;

interface Idler {
  group: TestGroup<GroupMember>;
  join: () => Promise<unknown>;
  topic: string;
  usesSessions: boolean;
}

const CLIENTS: [string, (broker: ClientBroker) => Promise<Idler>][] = [
  [
    'kafkajs, which has no sessions',
    async (broker) => {
      const admin = await kafkajs.connectAdmin(broker);
      const topic = await kafkajs.createTopic(admin, broker, { partitions: PARTITIONS });
      const group = new kafkajs.Group(broker, topic);
      return { group, topic, usesSessions: false, join: () => group.join({ maxWaitTimeInMs: WAIT_MS }) };
    },
  ],
  [
    '@platformatic/kafka, which has',
    async (broker) => {
      const topic = await platformatic.createTopic(broker, { partitions: PARTITIONS });
      const group = new platformatic.Group(broker, topic);
      return { group, topic, usesSessions: true, join: () => group.join({ maxWaitTime: WAIT_MS }) };
    },
  ],
];

describe('a consumer that has nothing to do', () => {
  const broker = useBroker();

  /** Resolves when so many fetches more have begun. */
  async function polls(count: number): Promise<void> {
    const before = broker.requests(fetchApi.key);
    await eventually(() => broker.requests(fetchApi.key) >= before + count);
  }

  test.each(CLIENTS)('asks again and again, and shards hear nothing: %s', async (_, make) => {
    const { group, join, topic, usesSessions } = await make(broker);
    const producer = await kafkajs.connectProducer(broker);
    const send = (value: string) =>
      producer.send({
        topic,
        messages: Array.from({ length: PARTITIONS }, (__, partition) => ({
          partition,
          value: `${value} ${partition}`,
        })),
      });
    await join();
    await send('first');
    await group.seen(PARTITIONS);
    await polls(3);
    const asked = vi.spyOn(broker.broker.gateway.link, 'request');
    const sessions = broker.broker.gateway.fetchSessions.size;
    await polls(POLLS);
    expect(asked.mock.calls.filter(([{ apiKey }]) => apiKey === fetchApi.key)).toEqual([]);
    asked.mockRestore();
    expect(sessions > 0).toBe(usesSessions);
    await send('second');
    expect(sortedValues(await group.seen(2 * PARTITIONS))).toEqual(
      ['first', 'second'].flatMap((value) => [0, 1, 2].map((partition) => `${value} ${partition}`)),
    );
  });
});
