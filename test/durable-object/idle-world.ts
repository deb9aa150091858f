import { ClientGateway } from '../../src/hosts/durable-object/client-gateway.ts';
import type { OpenLink } from '../../src/hosts/durable-object/remote-shards.ts';
import { settingsOf } from '../../src/hosts/durable-object/settings.ts';
import { SharedMetadata } from '../../src/hosts/durable-object/shared-metadata.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { concat } from '../../src/model/bytes.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';
import { Databases } from './node-home.ts';
import { CLUSTER, type SleepyObject, SleepyObjects } from './sleepy-objects.ts';

/** As our pages wait. */
const SUBSCRIBER_WAIT_MS = 5_000;
const HEARTBEAT_MS = 3_000;
const SESSION_MS = 45_000;
const TOPIC = 'quiet';
const GROUP = 'idle';

/** One connection through a gateway of its own, as the Worker has it. */
class Connection {
  readonly gateway: ClientGateway;
  readonly #waiting = new Map<number, (frame: Uint8Array) => void>();
  #lastId = 0;

  constructor(gateway: ClientGateway) {
    this.gateway = gateway;
    gateway.serve({
      clientHost: '/127.0.0.1',
      address: { host: 'edge', port: 1 },
      wantsLogin: false,
      write: (chunks) => this.#answered(concat(chunks).subarray(4)),
      pause: () => {},
      resume: () => {},
      close: (reason) => {
        throw new Error(`closed: ${reason}`);
      },
    });
  }

  #answered(frame: Uint8Array): boolean {
    const id = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
    this.#waiting.get(id)?.(frame);
    this.#waiting.delete(id);
    return true;
  }

  ask<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<ResponseOf<A>> {
    const correlationId = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(correlationId, (frame) => resolve(decodeResponse(api, version, frame).body));
      this.gateway.received(encodeRequest(api, version, { correlationId, clientId: 'c' }, body));
    });
  }
}

/** What a reader at the end asks again and again; nothing comes. */
async function poll(connection: Connection, maxWaitMs: number): Promise<never> {
  const partition = { partition: 0, fetchOffset: 1, partitionMaxBytes: 1_048_576 };
  const topics = [{ topic: TOPIC, partitions: [partition] }];
  for (;;) {
    const { responses } = await connection.ask(fetchApi, 11, { maxWaitMs, minBytes: 1, topics });
    const errorCode = responses[0]?.partitions[0]?.errorCode;
    if (errorCode !== 0) throw new Error(`a fetch was answered ${errorCode}`);
  }
}

/** A member of the classic protocol: it joins again when it is told to. */
export class Member {
  readonly #connection: Connection;
  readonly #about: { clock: VirtualClock; maxWaitMs: number };
  #memberId = '';
  generationId = -1;
  isGone = false;

  constructor(connection: Connection, about: { clock: VirtualClock; maxWaitMs: number }) {
    this.#connection = connection;
    this.#about = about;
  }

  async run(): Promise<void> {
    await this.#connection.ask(findCoordinatorApi, 2, { key: GROUP, keyType: 0 });
    await this.#join();
    void poll(this.#connection, this.#about.maxWaitMs);
    const { clock } = this.#about;
    while (!this.isGone) {
      await new Promise<void>((resolve) => clock.at(clock.now() + HEARTBEAT_MS, resolve));
      if (this.isGone) return;
      const { errorCode } = await this.#connection.ask(heartbeatApi, 3, this.#identity);
      if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) await this.#join();
      else if (errorCode !== ErrorCode.NONE) throw new Error(`a heartbeat was answered ${errorCode}`);
    }
  }

  /** Says nothing any more; its connection stays. */
  hang(): void {
    this.isGone = true;
  }

  /** As a process that is killed. */
  vanish(): void {
    this.isGone = true;
    this.#connection.gateway.ended();
  }

  async commit(offset: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }];
    const { generationId, memberId, ...group } = this.#identity;
    const body = { ...group, memberId, generationIdOrMemberEpoch: generationId };
    const answer = await this.#connection.ask(offsetCommitApi, 7, {
      ...body,
      topics: [{ name: TOPIC, partitions }],
    });
    return answer.topics[0]?.partitions[0]?.errorCode;
  }

  get #identity() {
    const { generationId } = this;
    return { groupId: GROUP, groupInstanceId: null, generationId, memberId: this.#memberId };
  }

  async #join(): Promise<void> {
    const joined = await this.#connection.ask(joinGroupApi, 3, {
      ...this.#identity,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(20) }],
    });
    if (joined.errorCode !== 0) throw new Error(`JoinGroup was answered ${joined.errorCode}`);
    this.#memberId = joined.memberId;
    this.generationId = joined.generationId;
    const { errorCode } = await this.#connection.ask(syncGroupApi, 3, {
      ...this.#identity,
      assignments: [],
    });
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return this.#join();
    if (errorCode !== 0) throw new Error(`SyncGroup was answered ${errorCode}`);
  }
}

/** Readers that wait at the end of a partition, and members of a group that stands still, in virtual time. */
export class IdleWorld {
  readonly objects: SleepyObjects;
  readonly #clock: VirtualClock;
  readonly #databases = new Databases();
  readonly #settings = settingsOf('');
  readonly #metadata = new SharedMetadata(CLUSTER);
  readonly #failed: unknown[] = [];
  #connect: () => Connection = () => {
    throw new Error('not started');
  };
  #topicId = '';

  private constructor() {
    this.#clock = new VirtualClock(1_800_000_000_000);
    this.objects = new SleepyObjects(this.#clock, this.#databases, this.#settings);
  }

  /** With one topic, and a record in it. */
  static async start(): Promise<IdleWorld> {
    const world = new IdleWorld();
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
    const record = { value: new Uint8Array(10), timestamp: this.#clock.now() };
    const partitionData = [{ index: 0, records: buildBatch(kernels, { records: [record] }) }];
    const topicData = [{ name: TOPIC, partitionData }];
    await this.done(admin.ask(produceApi, 7, { acks: -1, timeoutMs: 60_000, topicData }));
    admin.gateway.ended();
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
  members(count: number, maxWaitMs: number): Member[] {
    return Array.from({ length: count }, () => {
      const member = new Member(this.#connect(), { clock: this.#clock, maxWaitMs });
      this.#run(member.run());
      return member;
    });
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

  get partition(): SleepyObject {
    return this.objects.object(`d/${this.#topicId}/0`);
  }

  get group(): SleepyObject {
    const shard = [...this.objects.all.keys()].find((id) => id.startsWith('g/'));
    return this.objects.object(shard ?? '');
  }

  remove(): void {
    this.#databases.remove();
  }
}
