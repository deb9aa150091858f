import type { ClientSocket } from '../../src/gateway/connection.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import {
  type MetadataRecordInit,
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '../../src/metadata/records.ts';
import type { Address } from '../../src/model/machine.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from '../../src/model/limits.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ShardLink, ShardRequest } from '../../src/ports/shard-link.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';

/** Time that only moves when told to. */
export class ManualClock implements Clock {
  nowMs = 1_000_000;
  #deadlines = new Set<{ atMs: number; callback: () => void }>();

  now(): number {
    return this.nowMs;
  }

  at(atMs: number, callback: () => void): () => void {
    const deadline = { atMs, callback };
    this.#deadlines.add(deadline);
    return () => this.#deadlines.delete(deadline);
  }

  get waiting(): number {
    return this.#deadlines.size;
  }

  advance(byMs: number): void {
    this.nowMs += byMs;
    const due = [...this.#deadlines].filter(({ atMs }) => atMs <= this.nowMs);
    for (const deadline of due) if (this.#deadlines.delete(deadline)) deadline.callback();
  }
}

/** Keeps what it is asked until the test answers. */
export class ManualLink implements ShardLink {
  readonly asked: ShardRequest[] = [];
  readonly cancelled: Address[] = [];

  request(request: ShardRequest): void {
    this.asked.push(request);
  }

  cancel(_shard: string, from: Address): void {
    this.cancelled.push(from);
  }
}

/** A client's socket that shows what was written, and says it is full when told to. */
export class ManualSocket implements ClientSocket {
  readonly address = { host: '127.0.0.1', port: 9092 };
  readonly clientHost = '/127.0.0.1';
  readonly readsInPlace = false;
  readonly frames: Uint8Array[] = [];
  full = false;
  paused = false;
  closed = false;

  write(chunks: readonly Uint8Array[]): boolean {
    this.frames.push(new Uint8Array(Buffer.concat(chunks)).subarray(4));
    return !this.full;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.closed = true;
  }

  /** Correlation ids of the answers so far. */
  get answered(): number[] {
    return this.frames.map((frame) => new DataView(frame.buffer, frame.byteOffset).getInt32(0));
  }
}

export class FakeGateway {
  readonly clock = new ManualClock();
  readonly link = new ManualLink();
  readonly image = new MetadataImage({ clusterId: 'test', controllerId: 1 });
  readonly gateway: Gateway;
  #random = 0;

  constructor(limits: Partial<GatewayLimits> = {}) {
    this.gateway = new Gateway({
      link: this.link,
      clock: this.clock,
      random: { next: () => (this.#random = (this.#random + 0.618) % 1), uuid: () => '' },
      limits: { ...DEFAULT_GATEWAY_LIMITS, ...limits },
      image: this.image,
      config: {
        nodeId: 1,
        numPartitions: () => 1,
        autoCreateTopicsEnable: false,
        staticConfigs: new Map(),
        logDir: { path: 'memory' },
      },
    });
  }

  connect() {
    const socket = new ManualSocket();
    return { socket, connection: this.gateway.connect(socket) };
  }

  /** Committed metadata. */
  apply(record: MetadataRecordInit): void {
    const decoded = decodeMetadataRecord(encodeMetadataRecord(record));
    if (decoded !== undefined) this.image.apply(decoded);
  }

  /** Makes a topic known to the gateway. */
  addTopic({ name, id }: { name: string; id: string }, partitions: number): void {
    const apply = (record: MetadataRecordInit) => this.apply(record);
    apply({ type: 'topic', name, topicId: id });
    for (let partitionId = 0; partitionId < partitions; partitionId++) {
      const replicas = { replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [], directories: [] };
      apply({
        type: 'partition',
        partitionId,
        topicId: id,
        ...replicas,
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
      });
    }
  }

  /** Answers the request that was asked `at`-th. */
  answer(at: number, body?: object): void {
    const request = this.link.asked[at];
    if (request === undefined) throw new Error(`only ${this.link.asked.length} requests were asked`);
    const usual =
      request.apiKey === initProducerIdApi.key
        ? { throttleTimeMs: 0, errorCode: 0, producerId: at, producerEpoch: 0 }
        : { throttleTimeMs: 0, topics: [] };
    this.gateway.receive({ to: request.from, body: body ?? usual });
  }

  closedFor(reason: string): number {
    return new Map<string, number>(this.gateway.counters.closedByReason).get(reason) ?? 0;
  }
}

/** A request the shards answer and that may overlap with others. */
export function overlapping(correlationId: number): Uint8Array {
  const body = { transactionalId: null, transactionTimeoutMs: 1_000 };
  return encodeRequest(initProducerIdApi, 4, { correlationId, clientId: null }, body);
}

/** A request that runs alone. */
export function exclusive(correlationId: number): Uint8Array {
  return encodeRequest(createTopicsApi, 7, { correlationId, clientId: null }, { topics: [] });
}

export function producerIdOf(frame: Uint8Array): number {
  return decodeResponse(initProducerIdApi, 4, frame).body.producerId;
}
