import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RawClient, TestBroker } from './harness.ts';
import { PARTITIONS, type Step, TOPICS, World } from './session-world.ts';

let server: TestBroker;
let admin: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  admin = await server.client();
});
afterAll(() => server.close());

const slot = fc.nat(TOPICS * PARTITIONS - 1);
const topic = fc.nat(TOPICS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant('append'), slot, batches: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('delete'), topic }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('create'), topic }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('want'), slot }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget'), slot }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('seek'), slot, offset: fc.nat(4) }) },
    { weight: 8, arbitrary: fc.record({ type: fc.constant('poll'), waits: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ type: 'wrong epoch' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'reopen' }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 10, maxLength: 40 },
);

describe.each([12, 16])('v%i', (version) => {
  test('what a client makes of a session’s answers is what a whole fetch says', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = await World.make(server, admin, version);
        for (const step of script) expect(await world.step(step)).toEqual([]);
        expect(await world.poll(0)).toEqual([]);
        world.close();
      }),
      { numRuns: 60 },
    );
  });
});
