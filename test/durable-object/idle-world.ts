import { ClientGateway } from '../../src/hosts/durable-object/client-gateway.ts';
import { relayName } from '../../src/hosts/durable-object/relay/names.ts';
import type { OpenLink } from '../../src/hosts/durable-object/remote-shards.ts';
import { settingsOf } from '../../src/hosts/durable-object/settings.ts';
import { SharedMetadata } from '../../src/hosts/durable-object/shared-metadata.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { createPartitionsApi } from '../../src/wire/apis/37-create-partitions.ts';
import {
  type About,
  ClassicMember,
  Connection,
  EpochMember,
  type Member,
  poll,
  read,
  TOPIC,
} from './idle-members.ts';
import { Databases } from './node-home.ts';
import { CLUSTER, type SleepyObject, SleepyObjects } from './sleepy-objects.ts';

/** As our pages wait. */
const SUBSCRIBER_WAIT_MS = 5_000;

/** Readers that wait at the end of a partition, and members of a group that stands still, in virtual time. */
export class IdleWorld {
  readonly objects: SleepyObjects;
  readonly #clock: VirtualClock;
  readonly #databases = new Databases();
  readonly #settings: ReadonlyMap<string, string>;
  readonly #metadata = new SharedMetadata(CLUSTER);
  readonly #failed: unknown[] = [];
  #connect: () => Connection = () => {
    throw new Error('not started');
  };
  #topicId = '';

  private constructor(settings: string) {
    this.#settings = settingsOf(settings);
    this.#clock = new VirtualClock(1_800_000_000_000);
    this.objects = new SleepyObjects(this.#clock, this.#databases, this.#settings);
  }

  /** With one topic, and a record in it. */
  static async start(settings = ''): Promise<IdleWorld> {
    const world = new IdleWorld(settings);
    await world.#start();
    return world;
  }

  async #start(): Promise<void> {
    const kernels = await loadKernels();
    const { objects } = this;
    const open: OpenLink = (shard, ...rest) => objects.object(shard).link(...rest);
    const parts = {
      cluster: CLUSTER,
      settings: this.#settings,
      metadata: this.#metadata,
      kernels,
      open,
      codecs: nodeCodecs(kernels),
    };
    this.#connect = () => new Connection(new ClientGateway({ ...parts, clock: this.#clock }));
    const admin = this.#connect();
    const topics = [{ name: TOPIC, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }];
    const made = await this.done(admin.ask(createTopicsApi, 7, { topics }));
    this.#topicId = made.topics[0]?.topicId ?? '';
    admin.gateway.ended();
    await this.write();
  }

  /** One record, acknowledged. @returns its offset. */
  async write(): Promise<number | undefined> {
    const writer = this.#connect();
    const record = { value: new Uint8Array(10), timestamp: this.#clock.now() };
    const records = buildBatch(await loadKernels(), { records: [record] });
    const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
    const { responses } = await this.done(
      writer.ask(produceApi, 7, { acks: -1, timeoutMs: 60_000, topicData }),
    );
    writer.gateway.ended();
    return responses[0]?.partitionResponses[0]?.baseOffset;
  }

  /** As subscribers; each with the offsets that it was given. */
  readers(count: number, about: { from?: number; isolationLevel?: number } = {}): number[][] {
    return Array.from({ length: count }, () => {
      const got: number[] = [];
      this.#run(read(this.#connect(), got, { maxWaitMs: SUBSCRIBER_WAIT_MS, ...about }));
      return got;
    });
  }

  /** In a second. */
  async done<T>(promise: Promise<T>): Promise<T> {
    await this.#clock.advance(1_000);
    return promise;
  }

  subscribers(count: number): void {
    for (let each = 0; each < count; each++) this.#run(poll(this.#connect(), SUBSCRIBER_WAIT_MS));
  }

  /** @param maxWaitMs after which each asks its partition again. */
  members(count: number, maxWaitMs: number): ClassicMember[] {
    return this.#members(count, maxWaitMs, (...of) => new ClassicMember(...of));
  }

  epochMembers(count: number, maxWaitMs: number, protocol: 'consumer' | 'share'): EpochMember[] {
    return this.#members(count, maxWaitMs, (...of) => new EpochMember(...of, protocol));
  }

  #members<M extends Member>(
    count: number,
    maxWaitMs: number,
    make: (connection: Connection, about: About) => M,
  ): M[] {
    return Array.from({ length: count }, () => {
      const member = make(this.#connect(), { clock: this.#clock, maxWaitMs });
      this.#run(member.run());
      return member;
    });
  }

  async addPartition(): Promise<void> {
    const admin = this.#connect();
    const topics = [{ name: TOPIC, count: 2, assignments: null }];
    await this.done(admin.ask(createPartitionsApi, 3, { topics, timeoutMs: 1_000, validateOnly: false }));
    admin.gateway.ended();
  }

  #run(work: Promise<void>): void {
    void work.catch((error: unknown) => this.#failed.push(error));
  }

  /** @throws when somebody was answered an error. */
  async pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    const [failed] = [...this.#failed, ...this.objects.warnings];
    if (failed !== undefined) throw new Error('it went wrong', { cause: failed });
  }

  get #shard(): string {
    return `d/${this.#topicId}/0`;
  }

  get partition(): SleepyObject {
    return this.objects.object(this.#shard);
  }

  /** Where readers of the partition wait who want all records. */
  get relay(): SleepyObject {
    return this.objects.object(relayName(this.#shard, 0, 0));
  }

  get group(): SleepyObject {
    const shard = [...this.objects.all.keys()].find((id) => id.startsWith('g/'));
    return this.objects.object(shard ?? '');
  }

  remove(): void {
    this.#databases.remove();
  }
}
