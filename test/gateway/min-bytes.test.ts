import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type RawClient, TestBroker, batch, batchesIn, fetchAll, produce } from './harness.ts';
import { until } from './until.ts';

let server: TestBroker;
let producer: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  producer = await server.client();
});
afterAll(() => server.close());

const sent = batch([new Uint8Array(200)]);

/** Fetches the broker has begun so far. */
const fetches = () => server.broker.gateway.counters.requestsByApi.get(fetchApi.key) ?? 0;

test('a fetch waits until there is enough in all partitions together, and no longer', async () => {
  const scenario = fc.record({
    partitions: fc.integer({ min: 1, max: 5 }),
    enough: fc.integer({ min: 1, max: 12 }),
    /** Partitions that get a batch: before the fetch, and while it waits. */
    before: fc.array(fc.nat(4), { maxLength: 4 }),
    after: fc.array(fc.nat(4), { minLength: 12, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ partitions, enough, before, after }) => {
      const topic = await server.topic(producer, { partitions });
      const counts = Array<number>(partitions).fill(0);
      const append = async (slot: number) => {
        const partition = slot % partitions;
        await produce(producer, topic, sent, { partition });
        counts[partition] = (counts[partition] ?? 0) + 1;
      };
      for (const slot of before) await append(slot);
      const reader = await server.client();
      const begun = fetches();
      const wanted = counts.map((_, partition) => ({ topic, partition }));
      const waits = { minBytes: enough * sent.length, maxWaitMs: 600_000 };
      let answered = false;
      const waiting = fetchAll(reader, wanted, waits).finally(() => (answered = true));
      await until('the fetch has begun', () => fetches() > begun);
      const rest = after.values();
      let total = before.length;
      for (; total < enough; total++) {
        expect(answered).toBe(false);
        await append(rest.next().value ?? 0);
      }
      const fetched = await waiting;
      expect(fetched.map(({ records }) => batchesIn(records).length)).toEqual(counts);
      reader.destroy();
    }),
    { numRuns: 60 },
  );
});
