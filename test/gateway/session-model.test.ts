import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type Fetched, type RawClient, TestBroker, batch, batchesIn, fetchBody, produce } from './harness.ts';
import { SessionClient, type TopicName } from './session-client.ts';

let server: TestBroker;
let admin: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  admin = await server.client();
});
afterAll(() => server.close());

const TOPICS = 2;
const PARTITIONS = 2;

type Step =
  | { type: 'append'; slot: number; batches: number }
  | { type: 'delete'; topic: number }
  | { type: 'create'; topic: number }
  | { type: 'want' | 'forget'; slot: number }
  | { type: 'seek'; slot: number; offset: number }
  | { type: 'poll'; waits: boolean }
  | { type: 'wrong epoch' }
  | { type: 'reopen' };

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

interface Place {
  topic: TopicName;
  partition: number;
}

/** What a client wants of one partition, and all it has been told of it. */
interface Followed extends Place {
  fetchOffset: number;
  told?: Pick<Fetched, 'errorCode' | 'highWatermark' | 'logStartOffset'>;
}

/** A client with a session, and beside it one without: after each poll both must believe the same. */
class World {
  readonly session: SessionClient;
  readonly plain: RawClient;
  readonly topics: TopicName[] = [];
  readonly alive: boolean[] = [];
  readonly followed = new Map<string, Followed>();
  /** To be said in the next request: new, or at another offset. */
  readonly changed = new Set<string>();
  /** To be said to be no longer wanted: until then the session has it. */
  forgotten: Followed[] = [];

  constructor(session: SessionClient, plain: RawClient) {
    this.session = session;
    this.plain = plain;
  }

  static async make(version: number): Promise<World> {
    const world = new World(new SessionClient(await server.client(), version), await server.client());
    for (let i = 0; i < TOPICS; i++) {
      world.topics.push(await server.topic(admin, { partitions: PARTITIONS }));
      world.alive.push(true);
    }
    return world;
  }

  place(slot: number): Place {
    const at = Math.floor(slot / PARTITIONS);
    return { topic: this.topics[at] as TopicName, partition: slot % PARTITIONS };
  }

  key({ topic, partition }: Place): string {
    return this.session.keyOf(topic, partition);
  }

  async step(step: Step): Promise<void> {
    switch (step.type) {
      case 'append':
        return this.append(this.place(step.slot), step.batches);
      case 'delete':
        if (this.alive[step.topic]) await server.deleteTopic(admin, this.topics[step.topic] as TopicName);
        this.alive[step.topic] = false;
        return;
      case 'create':
        if (this.alive[step.topic]) return;
        this.topics[step.topic] = await server.topic(admin, {
          name: this.topics[step.topic]?.name ?? '',
          partitions: PARTITIONS,
        });
        this.alive[step.topic] = true;
        return;
      case 'want':
        return this.want(this.place(step.slot), 0);
      case 'seek':
        return this.want(this.place(step.slot), step.offset);
      case 'forget':
        return this.forget(this.place(step.slot));
      case 'poll':
        return this.poll(step.waits ? 1 : 0);
      case 'wrong epoch': {
        const { sessionId, epoch } = this.session;
        if (epoch === 0) return;
        const body = fetchBody([], { sessionId, sessionEpoch: epoch + 1 });
        const { errorCode } = await this.session.client.send(fetchApi, this.session.version, body);
        expect(errorCode).toBe(71);
        return;
      }
      case 'reopen':
        this.session.epoch = 0;
    }
  }

  async append({ topic, partition }: Place, batches: number): Promise<void> {
    for (let i = 0; i < batches; i++) await produce(admin, topic, batch(['x'.repeat(10 + i)]), { partition });
  }

  want(place: Place, fetchOffset: number): void {
    const key = this.key(place);
    const followed = this.followed.get(key) ?? this.forgotten.find((other) => this.key(other) === key);
    if (followed === this.followed.get(key) && followed?.fetchOffset === fetchOffset) return;
    this.followed.set(key, { ...followed, ...place, fetchOffset });
    this.changed.add(key);
    this.forgotten = this.forgotten.filter((other) => this.key(other) !== key);
  }

  forget(place: Place): void {
    const key = this.key(place);
    const followed = this.followed.get(key);
    if (followed === undefined) return;
    this.followed.delete(key);
    this.changed.delete(key);
    this.forgotten.push(followed);
  }

  async poll(maxWaitMs: number): Promise<void> {
    if (this.followed.size === 0) return;
    const opens = this.session.epoch === 0;
    const named = opens ? [...this.followed.keys()] : [...this.changed];
    const wanted = named.map((key) => this.followed.get(key) as Followed);
    const forget = opens ? [] : this.forgotten;
    this.changed.clear();
    this.forgotten = [];
    const { errorCode, partitions } = await this.session.fetch(wanted, { forget, maxWaitMs });
    expect(errorCode).toBe(0);
    if (opens) expect(new Set(partitions.keys())).toEqual(new Set(this.followed.keys()));
    for (const key of partitions.keys()) expect([...this.followed.keys()]).toContain(key);
    await this.compare(partitions);
  }

  /** What the session's answer, and its silence, say is what a whole request is told. */
  async compare(partitions: ReadonlyMap<string, Fetched>): Promise<void> {
    const all = [...this.followed.values()];
    const whole = await this.plain.send(fetchApi, this.session.version, fetchBody(all));
    const truths = whole.responses.flatMap(({ partitions: answers }) => answers);
    expect(truths.length).toBe(all.length);
    for (const [at, followed] of all.entries()) {
      const truth = truths[at] as Fetched;
      const key = this.key(followed);
      const news = partitions.get(key);
      if (news !== undefined) followed.told = stateOf(news);
      expect([key, followed.told]).toEqual([key, stateOf(truth)]);
      expect([key, batchesIn(news?.records ?? null)]).toEqual([key, batchesIn(truth.records)]);
      const end = batchesIn(truth.records).at(-1);
      if (end !== undefined) this.want(followed, end.baseOffset + 1);
    }
  }
}

function stateOf({ errorCode, highWatermark, logStartOffset }: Fetched) {
  return { errorCode, highWatermark, logStartOffset };
}

describe.each([12, 16])('v%i', (version) => {
  test('what a client makes of a session’s answers is what a whole fetch says', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = await World.make(version);
        for (const step of script) await world.step(step);
        await world.poll(0);
        world.session.client.destroy();
        world.plain.destroy();
      }),
      { numRuns: 60 },
    );
  });
});
