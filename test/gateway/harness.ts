import { Broker } from '../../src/hosts/node/broker.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { type NewRecord, type BatchSpec, buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import type { RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';
import { dial, doorOptions } from './doors.ts';
import { RawClient } from './raw-client.ts';

export { RawClient };

/** A broker in memory and the clients that talk to it; `close` ends them all. */
export class TestBroker {
  readonly broker: Broker;
  readonly #clients: RawClient[] = [];
  #topics = 0;

  private constructor(broker: Broker) {
    this.broker = broker;
  }

  static async start(options: Parameters<typeof Broker.start>[0] = {}): Promise<TestBroker> {
    const settings = new Map([
      ['group.initial.rebalance.delay.ms', '0'],
      ['offsets.topic.num.partitions', '2'],
      // Tests give their records any time.
      ['log.retention.ms', '-1'],
    ]);
    return new TestBroker(await Broker.start({ settings, ...doorOptions(), ...options }));
  }

  async client(host = this.broker.kafka.host): Promise<RawClient> {
    const client = new RawClient(await dial(this.broker, host));
    this.#clients.push(client);
    return client;
  }

  /** Connections the gateway holds. */
  get connections(): number {
    return this.broker.gateway.connectionCount;
  }

  /** How often connections were closed for this reason so far. */
  closedFor(reason: string): number {
    return new Map<string, number>(this.broker.gateway.counters.closedByReason).get(reason) ?? 0;
  }

  /** A new topic with a name of its own. */
  async topic(
    client: RawClient,
    settings: { name?: string; partitions?: number; configs?: Record<string, string> } = {},
  ): Promise<{ name: string; id: string }> {
    const { name = `topic-${++this.#topics}`, partitions = 1, configs = {} } = settings;
    const response = await client.send(createTopicsApi, 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 5_000,
    });
    const [topic] = response.topics;
    if (topic?.errorCode !== 0) throw new Error(`${name}: ${topic?.errorCode} ${topic?.errorMessage}`);
    return { name, id: topic.topicId };
  }

  async deleteTopic(client: RawClient, { name }: { name: string }): Promise<void> {
    const response = await client.send(deleteTopicsApi, 5, { topicNames: [name], timeoutMs: 5_000 });
    if (response.responses[0]?.errorCode !== 0) throw new Error(`${name} was not deleted`);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.broker.close();
  }
}

const kernels = new TwinKernels();
const utf8 = new TextEncoder();

/** A batch with these values, as a producer builds it. */
export function batch(
  values: readonly (string | Uint8Array | Partial<NewRecord>)[],
  spec: Partial<BatchSpec> = {},
) {
  const records = values.map((value): NewRecord => {
    if (typeof value === 'string') return { timestamp: 1_000, value: utf8.encode(value) };
    return value instanceof Uint8Array ? { timestamp: 1_000, value } : { timestamp: 1_000, ...value };
  });
  return buildBatch(kernels, { records, ...spec });
}

/** A Produce request for one partition, by name (v12 and older) and by id. */
export function produceBody(
  topic: { name: string; id: string },
  records: Uint8Array | null,
  { partition = 0, acks = -1, timeoutMs = 5_000 } = {},
): RequestInitOf<typeof produceApi> {
  const partitionData = [{ index: partition, records }];
  return { acks, timeoutMs, topicData: [{ name: topic.name, topicId: topic.id, partitionData }] };
}

/** Produces and gives the answer of the one partition. */
export async function produce(
  client: RawClient,
  topic: { name: string; id: string },
  records: Uint8Array | null,
  {
    version = 12,
    transactionalId = null,
    ...settings
  }: Parameters<typeof produceBody>[2] & { version?: number; transactionalId?: string | null } = {},
) {
  const body = { ...produceBody(topic, records, settings), transactionalId };
  const response = await client.send(produceApi, version, body);
  const answered = response.responses[0]?.partitionResponses[0];
  if (answered === undefined) throw new Error('no partition was answered');
  return answered;
}

export interface Wanted {
  topic: { name: string; id: string };
  partition?: number;
  fetchOffset?: number;
  partitionMaxBytes?: number;
  currentLeaderEpoch?: number;
  lastFetchedEpoch?: number;
}

export type FetchSettings = Partial<Omit<RequestInitOf<typeof fetchApi>, 'topics'>>;

/** A Fetch request; it waits for nothing unless told to. */
export function fetchBody(wanted: readonly Wanted[], settings: FetchSettings = {}) {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    ...settings,
    topics: wanted.map(
      ({ topic, partition = 0, fetchOffset = 0, partitionMaxBytes = 1 << 20, ...epochs }) => ({
        topic: topic.name,
        topicId: topic.id,
        partitions: [{ partition, fetchOffset, partitionMaxBytes, ...epochs }],
      }),
    ),
  } satisfies RequestInitOf<typeof fetchApi>;
}

export type Fetched = ResponseOf<typeof fetchApi>['responses'][number]['partitions'][number];

/** Fetches and gives the partitions' answers in request order. */
export async function fetchAll(
  client: RawClient,
  wanted: readonly Wanted[],
  settings: FetchSettings & { version?: number } = {},
): Promise<Fetched[]> {
  const { version = 12, ...rest } = settings;
  const response = await client.send(fetchApi, version, fetchBody(wanted, rest));
  return response.responses.flatMap(({ partitions }) => partitions);
}

export async function fetchOne(
  client: RawClient,
  wanted: Wanted,
  settings: FetchSettings & { version?: number } = {},
): Promise<Fetched> {
  const [answered] = await fetchAll(client, [wanted], settings);
  if (answered === undefined) throw new Error('no partition was answered');
  return answered;
}

/** Base offset and size of every batch in a fetched block; throws unless they fill it exactly. */
export function batchesIn(records: Uint8Array | null): { baseOffset: number; sizeBytes: number }[] {
  const found: { baseOffset: number; sizeBytes: number }[] = [];
  const bytes = records ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const sizeBytes = 12 + view.getInt32(at + 8);
    if (at + sizeBytes > bytes.length) throw new Error('a batch is cut');
    found.push({ baseOffset: Number(view.getBigInt64(at)), sizeBytes });
    at += sizeBytes;
  }
  return found;
}
