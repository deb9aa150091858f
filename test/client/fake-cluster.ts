import { Scheduler } from '../../src/hosts/sim/scheduler.ts';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import { at } from '../../src/model/assert.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { CRC_START } from '../../src/records/header.ts';
import type { ByteStream, StreamEvents, Transport } from '../../src/ports/transport.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { decodeRequest, decodeRequestHeader, encodeResponse } from '../../src/wire/frame.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import type { Api, ResponseInitOf } from '../../src/wire/schema.ts';
import { ModelLog } from './model-log.ts';

export const TOPIC = 'orders';
const APIS: readonly Api[] = [produceApi, metadataApi, apiVersionsApi, initProducerIdApi];

/** What may go wrong with one request. */
export const MISHAPS = [
  'request-lost',
  'answer-lost',
  'silence',
  'cut-answer',
  'garbage',
  'throttled',
] as const;
/** By chance, or as a test wants it. */
export type Mishap = (typeof MISHAPS)[number] | undefined;

/** A request as a broker has it. */
export interface FakeRequest {
  node: number;
  /** Its connection, each with a number of its own. */
  link: number;
  api: Api;
  version: number;
  body: unknown;
  clientId: string;
}

/** What brokers do beside producing, in a file of its own. */
export interface FakeService {
  readonly apis: readonly Api[];
  /** @param reply at once or later; what comes behind on the connection waits for it, as with a real broker. */
  answer(request: FakeRequest, reply: (body: unknown) => void): void;
  /** A connection has gone. */
  forget?(link: number): void;
}

export interface FakeOptions {
  seed?: number;
  nodes?: number;
  partitions?: number;
  /** See `ModelLog`. */
  isForgetful?: boolean;
  /** Asked for each Produce request and each other one. */
  mishap?: (api: Api, node: number) => Mishap;
  /** An answer to a produced batch instead of storing it; undefined stores it. */
  refuse?: (partition: number, bytes: Uint8Array) => number | undefined;
}

/** Brokers as a client sees them, in virtual time: they answer late, wrongly or not at all, and leaders move. */
export class FakeCluster {
  readonly scheduler = new Scheduler(1_767_225_600_000);
  readonly random: SeededRandom;
  readonly logs: ModelLog[];
  /** By partition: the node, and how often it changed. */
  readonly leaders: { id: number; epoch: number }[];
  readonly down = new Set<number>();
  readonly asked: string[] = [];
  /** Requests of each connection that are without an answer, at most so far. */
  inFlightMost = 0;
  topicErrorCode: number = ErrorCode.NONE;
  topicId = 'AAAAAAAAAAAAAAAAAAAABQ';
  readonly options: FakeOptions;
  readonly services: FakeService[] = [];
  readonly #nodes: number;
  #links = 0;
  readonly #open = new Set<FakeConnection>();
  #producerIds = 100;

  constructor(options: FakeOptions = {}) {
    const { seed = 1, nodes = 1, partitions = 1, isForgetful = false } = options;
    this.options = options;
    this.random = new SeededRandom(seed);
    this.#nodes = nodes;
    this.logs = Array.from({ length: partitions }, () => new ModelLog(isForgetful));
    this.leaders = Array.from({ length: partitions }, (_, partition) => ({
      id: 1 + (partition % nodes),
      epoch: 0,
    }));
  }

  get bootstrap(): { host: string; port: number }[] {
    return Array.from({ length: this.#nodes }, (_, index) => ({ host: 'fake', port: index + 1 }));
  }

  readonly transport: Transport = {
    open: (address, events, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const cancel = this.scheduler.after(this.random.between(1, 5), 'open', () => {
          if (this.down.has(address.port)) return reject(new Error(`fake:${address.port}: refused`));
          const connection = new FakeConnection(this, address.port, ++this.#links, events);
          this.#open.add(connection);
          resolve(connection);
        });
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason as Error);
        });
      }),
  };

  /** Runs until the work is over; it must not need anything but this cluster's time. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => (isOver = true));
    watched.catch(() => {});
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    // A work that waits for nothing but promises is over before the first event.
    await turn();
    if (!isOver) await this.scheduler.run(() => isOver, turn);
    if (!isOver) throw new Error('all wait, and nothing will ever happen');
    return watched;
  }

  moveLeader(partition: number): void {
    const leader = at(this.leaders, partition);
    leader.id = 1 + (leader.id % this.#nodes);
    leader.epoch++;
  }

  stop(node: number): void {
    this.down.add(node);
    for (const connection of this.#open) if (connection.node === node) connection.end('the broker died');
  }

  forget(connection: FakeConnection): void {
    this.#open.delete(connection);
    for (const service of this.services) service.forget?.(connection.link);
  }

  apiOf(key: number): Api | undefined {
    return this.#apis.find((api) => api.key === key);
  }

  serve(request: FakeRequest, reply: (body: unknown) => void): void {
    const service = this.services.find(({ apis }) => apis.includes(request.api));
    if (service !== undefined) service.answer(request, reply);
    else reply(this.#answer(request));
  }

  get #apis(): Api[] {
    return [...APIS, ...this.services.flatMap(({ apis }) => apis)];
  }

  #answer({ node, api, body }: FakeRequest): unknown {
    if (api === apiVersionsApi) return this.#apiVersions();
    if (api === metadataApi) return this.#metadata();
    if (api === initProducerIdApi) return { errorCode: 0, producerId: this.#producerIds++, producerEpoch: 0 };
    return this.#produce(node, body as never);
  }

  #apiVersions() {
    const apiKeys = this.#apis.map(({ key, versions: { min, max } }) => ({
      apiKey: key,
      minVersion: min,
      maxVersion: max,
    }));
    return { errorCode: 0, apiKeys };
  }

  #metadata(): ResponseInitOf<typeof metadataApi> {
    return {
      brokers: this.bootstrap.map(({ host, port }) => ({ nodeId: port, host, port })),
      topics: [
        {
          errorCode: this.topicErrorCode,
          name: TOPIC,
          topicId: this.topicId,
          partitions: this.leaders.map(({ id, epoch }, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: this.down.has(id) ? -1 : id,
            leaderEpoch: epoch,
            replicaNodes: [id],
            isrNodes: [id],
            offlineReplicas: [],
          })),
        },
      ],
    } as ResponseInitOf<typeof metadataApi>;
  }

  #produce(
    node: number,
    { topicData }: { topicData: { partitionData: { index: number; records: Uint8Array }[] }[] },
  ) {
    const partitionResponses = at(topicData, 0).partitionData.map(({ index, records }) => ({
      index,
      ...this.#append(node, index, records),
    }));
    return { responses: [{ name: TOPIC, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionResponses }] };
  }

  #append(node: number, partition: number, bytes: Uint8Array) {
    const leader = at(this.leaders, partition);
    const refusal = this.options.refuse?.(partition, bytes);
    if (refusal !== undefined) return { errorCode: refusal, baseOffset: -1 };
    if (leader.id !== node) {
      // Some say who leads instead (KIP-951), some do not.
      const currentLeader = this.random.chance(0.5)
        ? { leaderId: leader.id, leaderEpoch: leader.epoch }
        : undefined;
      const errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER;
      return { errorCode, baseOffset: -1, ...(currentLeader && { currentLeader }) };
    }
    if (bytes.length <= CRC_START) throw new Error('no batch');
    return at(this.logs, partition).append(bytes);
  }
}

const READ_DELAY_MS = [0.2, 4] as const;

/** One connection: requests are worked on in their order, answers go out in it. */
class FakeConnection implements ByteStream {
  readonly node: number;
  readonly link: number;
  readonly #cluster: FakeCluster;
  readonly #events: StreamEvents;
  readonly #frames = new FrameReader(64 * 1024 * 1024);
  #freeAtMs = 0;
  #isOver = false;
  /** It says nothing any more, and nobody is told. */
  #isSilent = false;
  #inFlight = 0;
  /** What came behind a request that is not answered yet. */
  #behind: Uint8Array[] | undefined;

  constructor(cluster: FakeCluster, node: number, link: number, events: StreamEvents) {
    this.#cluster = cluster;
    this.node = node;
    this.link = link;
    this.#events = events;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#frames.push(bytes, (frame) => {
      this.#inFlight++;
      this.#cluster.inFlightMost = Math.max(this.#cluster.inFlightMost, this.#inFlight);
      const { scheduler, random } = this.#cluster;
      this.#freeAtMs = Math.max(this.#freeAtMs, scheduler.nowMs) + random.between(...READ_DELAY_MS);
      // What has left the client arrives, whether it still listens or not.
      scheduler.schedule(this.#freeAtMs, 'request', () => this.#handle(frame));
    });
    return true;
  }

  close(): void {
    this.end('closed here');
  }

  end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cluster.forget(this);
    this.#events.closed(why);
  }

  #handle(frame: Uint8Array): void {
    if (this.#behind !== undefined) return void this.#behind.push(frame);
    const { options, asked } = this.#cluster;
    const { apiKey, apiVersion, correlationId, clientId, bodyAt } = decodeRequestHeader(frame);
    const api = this.#cluster.apiOf(apiKey) as Api;
    asked.push(api.name);
    if (this.#isSilent || this.#cluster.down.has(this.node)) return;
    const mishap = options.mishap?.(api, this.node);
    if (mishap === 'request-lost') return this.end('reset');
    const body = decodeRequest(api, apiVersion, frame, bodyAt);
    const { node, link } = this;
    this.#behind = [];
    this.#cluster.serve(
      { node, link, api, version: apiVersion, body, clientId: clientId ?? '' },
      (answer) => {
        this.#answer({ api, version: apiVersion, correlationId }, answer as object, mishap);
        const behind = this.#behind ?? [];
        this.#behind = undefined;
        for (const next of behind) this.#handle(next);
      },
    );
  }

  #answer(
    { api, version, correlationId }: { api: Api; version: number; correlationId: number },
    body: object,
    mishap: Mishap,
  ): void {
    const { random } = this.#cluster;
    if (mishap === 'answer-lost') return this.end('reset');
    if (mishap === 'silence') this.#isSilent = true;
    if (this.#isSilent || this.#isOver) return;
    const throttleTimeMs = mishap === 'throttled' ? 500 : 0;
    const chunks = encodeResponse(api, version, correlationId, { throttleTimeMs, ...body } as never);
    this.#inFlight--;
    const bytes = Buffer.concat(chunks);
    if (mishap === 'garbage') bytes.fill(random.int(256), 4);
    const end = mishap === 'cut-answer' ? random.int(bytes.length) : bytes.length;
    const cut = random.int(end + 1);
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut, end)])
      if (part.length > 0 && !this.#isOver) this.#events.received(Uint8Array.from(part));
    if (mishap === 'cut-answer') this.end('cut');
  }
}
