import { ErrorCode } from '../../src/model/errors.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import {
  type Fetched,
  type RawClient,
  type TestBroker,
  batch,
  batchesIn,
  fetchBody,
  produce,
} from './harness.ts';
import { SessionClient, type TopicName } from './session-client.ts';

export const TOPICS = 2;
export const PARTITIONS = 2;

export type Step =
  | { type: 'append'; slot: number; batches: number }
  | { type: 'delete'; topic: number }
  | { type: 'create'; topic: number }
  | { type: 'want' | 'forget'; slot: number }
  | { type: 'seek'; slot: number; offset: number }
  | { type: 'poll'; waits: boolean }
  | { type: 'wrong epoch' }
  | { type: 'reopen' };

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
export class World {
  readonly session: SessionClient;
  readonly plain: RawClient;
  readonly #server: TestBroker;
  readonly #admin: RawClient;
  readonly topics: TopicName[] = [];
  readonly alive: boolean[] = [];
  readonly followed = new Map<string, Followed>();
  /** To be said in the next request: new, or at another offset. */
  readonly changed = new Set<string>();
  /** To be said to be no longer wanted: until then the session has it. */
  forgotten: Followed[] = [];

  private constructor(
    server: TestBroker,
    clients: { session: SessionClient; plain: RawClient; admin: RawClient },
  ) {
    this.#server = server;
    this.#admin = clients.admin;
    this.session = clients.session;
    this.plain = clients.plain;
  }

  /** @param admin stays open: others may use it too. */
  static async make(server: TestBroker, admin: RawClient, version: number): Promise<World> {
    const session = new SessionClient(await server.client(), version);
    const world = new World(server, { session, plain: await server.client(), admin });
    for (let i = 0; i < TOPICS; i++) {
      world.topics.push(await server.topic(admin, { partitions: PARTITIONS }));
      world.alive.push(true);
    }
    return world;
  }

  close(): void {
    this.session.client.destroy();
    this.plain.destroy();
  }

  place(slot: number): Place {
    const at = Math.floor(slot / PARTITIONS);
    return { topic: this.topic(at), partition: slot % PARTITIONS };
  }

  key({ topic, partition }: Place): string {
    return this.session.keyOf(topic, partition);
  }

  /** @returns in what the two clients differ. */
  async step(step: Step): Promise<string[]> {
    switch (step.type) {
      case 'append':
        await this.append(this.place(step.slot), step.batches);
        return [];
      case 'delete':
        if (this.alive[step.topic]) await this.#server.deleteTopic(this.#admin, this.topic(step.topic));
        this.alive[step.topic] = false;
        return [];
      case 'create':
        await this.create(step.topic);
        return [];
      case 'want':
        this.want(this.place(step.slot), 0);
        return [];
      case 'seek':
        this.want(this.place(step.slot), step.offset);
        return [];
      case 'forget':
        this.forget(this.place(step.slot));
        return [];
      case 'poll':
        return this.poll(step.waits ? 1 : 0);
      case 'wrong epoch':
        return this.sayWrongEpoch();
      case 'reopen':
        this.session.epoch = 0;
        return [];
      default:
        return step satisfies never;
    }
  }

  topic(at: number): TopicName {
    return this.topics[at] as TopicName;
  }

  /** Under the same name: another topic. */
  async create(at: number): Promise<void> {
    if (this.alive[at]) return;
    const { name } = this.topic(at);
    this.topics[at] = await this.#server.topic(this.#admin, { name, partitions: PARTITIONS });
    this.alive[at] = true;
  }

  async sayWrongEpoch(): Promise<string[]> {
    const { sessionId, epoch } = this.session;
    if (epoch === 0) return [];
    const body = fetchBody([], { sessionId, sessionEpoch: epoch + 1 });
    const { errorCode } = await this.session.client.send(fetchApi, this.session.version, body);
    return errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH ? [] : [`wrong epoch: code ${errorCode}`];
  }

  async append({ topic, partition }: Place, batches: number): Promise<void> {
    for (let i = 0; i < batches; i++)
      await produce(this.#admin, topic, batch(['x'.repeat(10 + i)]), { partition });
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

  async poll(maxWaitMs: number): Promise<string[]> {
    if (this.followed.size === 0) return [];
    const opens = this.session.epoch === 0;
    const named = opens ? [...this.followed.keys()] : [...this.changed];
    const wanted = named.map((key) => this.followed.get(key) as Followed);
    const forget = opens ? [] : this.forgotten;
    this.changed.clear();
    this.forgotten = [];
    const { errorCode, partitions } = await this.session.fetch(wanted, { forget, maxWaitMs });
    if (errorCode !== 0) return [`code ${errorCode}`];
    const missing = opens ? named.filter((key) => !partitions.has(key)) : [];
    const unwanted = [...partitions.keys()].filter((key) => !this.followed.has(key));
    return [
      ...missing.map((key) => `${key} is not in the first answer`),
      ...unwanted.map((key) => `nobody asked for ${key}`),
      ...(await this.compare(partitions)),
    ];
  }

  /** What the session's answer, and its silence, say is what a whole request is told. */
  async compare(partitions: ReadonlyMap<string, Fetched>): Promise<string[]> {
    const all = [...this.followed.values()];
    const whole = await this.plain.send(fetchApi, this.session.version, fetchBody(all));
    const truths = whole.responses.flatMap(({ partitions: answers }) => answers);
    return all.flatMap((followed, at) => {
      const truth = truths[at] as Fetched;
      const key = this.key(followed);
      const news = partitions.get(key);
      if (news !== undefined) followed.told = stateOf(news);
      const end = batchesIn(truth.records).at(-1);
      if (end !== undefined) this.want(followed, end.baseOffset + 1);
      return [
        ...differ(`${key}: state`, followed.told, stateOf(truth)),
        ...differ(`${key}: records`, batchesIn(news?.records ?? null), batchesIn(truth.records)),
      ];
    });
  }
}

function stateOf({ errorCode, highWatermark, logStartOffset }: Fetched) {
  return { errorCode, highWatermark, logStartOffset };
}

function differ(what: string, told: unknown, truth: unknown): string[] {
  const [one, other] = [JSON.stringify(told), JSON.stringify(truth)];
  return one === other ? [] : [`${what}: told ${one}, is ${other}`];
}
