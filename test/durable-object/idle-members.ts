import type { ClientGateway } from '../../src/hosts/durable-object/client-gateway.ts';
import type { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { concat } from '../../src/model/bytes.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';

const HEARTBEAT_MS = 3_000;
const SESSION_MS = 45_000;
export const TOPIC = 'quiet';
const GROUP = 'idle';

export interface About {
  clock: VirtualClock;
  /** After which it asks its partition again. */
  maxWaitMs: number;
}

/** One connection through a gateway of its own, as the Worker has it. */
export class Connection {
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
export async function poll(connection: Connection, maxWaitMs: number): Promise<never> {
  const partition = { partition: 0, fetchOffset: 1, partitionMaxBytes: 1_048_576 };
  const topics = [{ topic: TOPIC, partitions: [partition] }];
  for (;;) {
    const { responses } = await connection.ask(fetchApi, 11, { maxWaitMs, minBytes: 1, topics });
    const errorCode = responses[0]?.partitions[0]?.errorCode;
    if (errorCode !== 0) throw new Error(`a fetch was answered ${errorCode}`);
  }
}

/** What is written; a leader that was killed is asked again. */
export async function read(
  connection: Connection,
  got: number[],
  about: { maxWaitMs: number; from?: number; isolationLevel?: number },
): Promise<never> {
  const { from = 1, isolationLevel = 0, maxWaitMs } = about;
  for (let next = from; ;) {
    const partition = { partition: 0, fetchOffset: next, partitionMaxBytes: 1_048_576 };
    const topics = [{ topic: TOPIC, partitions: [partition] }];
    const limits = { maxWaitMs, minBytes: 1, isolationLevel };
    const { responses } = await connection.ask(fetchApi, 11, { ...limits, topics });
    const { errorCode, records } = responses[0]?.partitions[0] ?? {};
    if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) continue;
    if (errorCode !== 0) throw new Error(`a fetch was answered ${errorCode}`);
    forEachBatch(records ?? new Uint8Array(0), ({ baseOffset, lastOffset }) => {
      for (let offset = Math.max(next, baseOffset); offset <= lastOffset; offset++) got.push(offset);
      next = Math.max(next, lastOffset + 1);
    });
  }
}

/** Of any protocol: it says every few seconds that it lives. */
export abstract class Member {
  protected readonly connection: Connection;
  readonly #about: About;
  isGone = false;

  constructor(connection: Connection, about: About) {
    this.connection = connection;
    this.#about = about;
  }

  /** The generation it is in, or its epoch. */
  abstract readonly generationId: number;
  protected abstract join(): Promise<void>;
  protected abstract beat(): Promise<void>;

  async run(): Promise<void> {
    await this.connection.ask(findCoordinatorApi, 2, { key: GROUP, keyType: 0 });
    await this.join();
    void poll(this.connection, this.#about.maxWaitMs);
    const { clock } = this.#about;
    while (!this.isGone) {
      await new Promise<void>((resolve) => clock.at(clock.now() + HEARTBEAT_MS, resolve));
      if (!this.isGone) await this.beat();
    }
  }

  /** Says nothing any more; its connection stays. */
  hang(): void {
    this.isGone = true;
  }

  /** As a process that is killed. */
  vanish(): void {
    this.isGone = true;
    this.connection.gateway.ended();
  }
}

/** Of the classic protocol: it joins again when it is told to. */
export class ClassicMember extends Member {
  #memberId = '';
  generationId = -1;

  protected async beat(): Promise<void> {
    const { errorCode } = await this.connection.ask(heartbeatApi, 3, this.#identity);
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) await this.join();
    else if (errorCode !== ErrorCode.NONE) throw new Error(`a heartbeat was answered ${errorCode}`);
  }

  async commit(offset: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }];
    const { generationId, memberId, ...group } = this.#identity;
    const body = { ...group, memberId, generationIdOrMemberEpoch: generationId };
    const answer = await this.connection.ask(offsetCommitApi, 7, {
      ...body,
      topics: [{ name: TOPIC, partitions }],
    });
    return answer.topics[0]?.partitions[0]?.errorCode;
  }

  get #identity() {
    const { generationId } = this;
    return { groupId: GROUP, groupInstanceId: null, generationId, memberId: this.#memberId };
  }

  protected async join(): Promise<void> {
    const joined = await this.connection.ask(joinGroupApi, 3, {
      ...this.#identity,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(20) }],
    });
    if (joined.errorCode !== 0) throw new Error(`JoinGroup was answered ${joined.errorCode}`);
    this.#memberId = joined.memberId;
    this.generationId = joined.generationId;
    const { errorCode } = await this.connection.ask(syncGroupApi, 3, {
      ...this.#identity,
      assignments: [],
    });
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return this.join();
    if (errorCode !== 0) throw new Error(`SyncGroup was answered ${errorCode}`);
  }
}

/** Of KIP-848 or of a share group: a heartbeat is all it says, and it says what is new alone. */
export class EpochMember extends Member {
  readonly #protocol: 'consumer' | 'share';
  readonly #memberId = crypto.randomUUID();
  #assignment: string | undefined;
  #isToTell = false;
  generationId = 0;

  constructor(connection: Connection, about: About, protocol: 'consumer' | 'share') {
    super(connection, about);
    this.#protocol = protocol;
  }

  get partitions(): string | undefined {
    return this.#assignment;
  }

  protected join(): Promise<void> {
    return this.#say({ subscribedTopicNames: [TOPIC] });
  }

  protected beat(): Promise<void> {
    return this.#say({ subscribedTopicNames: null });
  }

  async #say(said: { subscribedTopicNames: string[] | null }): Promise<void> {
    const who = { groupId: GROUP, memberId: this.#memberId, memberEpoch: this.generationId };
    const { errorCode, memberEpoch, assignment } =
      this.#protocol === 'share'
        ? await this.connection.ask(shareGroupHeartbeatApi, 1, { ...who, ...said })
        : await this.connection.ask(consumerGroupHeartbeatApi, 1, { ...who, ...said, ...this.#owned() });
    if (errorCode !== ErrorCode.NONE) throw new Error(`a heartbeat was answered ${errorCode}`);
    this.generationId = memberEpoch;
    this.#isToTell = assignment !== null;
    if (assignment !== null) this.#assignment = JSON.stringify(assignment.topicPartitions);
  }

  #owned() {
    const isFirst = this.generationId === 0;
    const topicPartitions = isFirst ? [] : this.#isToTell ? JSON.parse(this.#assignment ?? '[]') : null;
    return { topicPartitions, rebalanceTimeoutMs: isFirst ? 60_000 : -1 };
  }
}
