import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { joinGroupApi, type JoinGroupResponse } from '../../src/wire/apis/11-join-group.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { bytes, text, type Coordinator } from './coordinator.ts';

export const SESSION_MS = 10_000;
export const REBALANCE_MS = 15_000;

type Phase = 'out' | 'joining' | 'joined' | 'syncing' | 'in';

/** What members of a group saw, for a test to judge. */
export interface Witness {
  /** A member was told its part of a generation. */
  assigned(generationId: number, assignment: string): void;
  committed(partition: number, offset: number): void;
}

/** A client that does what Kafka's do: joins, syncs, beats, and starts over when it is told to. */
export class MemberClient {
  readonly name: string;
  readonly #coordinator: Coordinator;
  readonly #witness: Witness;
  readonly #instance: string | null;
  phase: Phase = 'out';
  memberId = '';
  generationId = -1;
  topics = 't1';
  #members: JoinGroupResponse['members'] = [];
  #link: number;
  /** Answers to a connection that was given up do not reach the client. */
  #connection = 0;
  static #nonce = 0;

  constructor(
    name: string,
    link: number,
    options: { coordinator: Coordinator; witness: Witness; isStatic: boolean },
  ) {
    this.name = name;
    this.#link = link;
    this.#coordinator = options.coordinator;
    this.#witness = options.witness;
    this.#instance = options.isStatic ? `instance-${name}` : null;
  }

  /** The next thing a client in its place would do; nothing while it waits. */
  step(): void {
    if (this.phase === 'out') this.join();
    else if (this.phase === 'joined') this.sync();
    else if (this.phase === 'in') this.beat();
  }

  join(): void {
    this.phase = 'joining';
    const body = {
      groupId: 'g',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.memberId,
      groupInstanceId: this.#instance,
      protocolType: 'test',
      protocols: [{ name: 'p', metadata: bytes(this.topics) }],
    };
    this.#coordinator.send(
      joinGroupApi,
      body,
      this.#asking(),
      this.#mine((reply) => this.#onJoined(reply)),
    );
  }

  #onJoined(reply: JoinGroupResponse): void {
    this.phase = 'out';
    if (reply.errorCode === 79) this.memberId = reply.memberId;
    else if (reply.errorCode === 25 || reply.errorCode === 82) this.memberId = '';
    if (reply.errorCode !== 0) return;
    this.phase = 'joined';
    this.memberId = reply.memberId;
    this.generationId = reply.generationId;
    this.#members = reply.skipAssignment ? [] : reply.members;
  }

  /** Every assignment of one SyncGroup bears the same number, which no other bears. */
  sync(): void {
    this.phase = 'syncing';
    const nonce = ++MemberClient.#nonce;
    const assignments = this.#members.map(({ memberId }) => ({ memberId, assignment: bytes(String(nonce)) }));
    const body = { ...this.#identity(), assignments };
    const take = this.#mine(({ errorCode, assignment }: { errorCode: number; assignment: Uint8Array }) => {
      this.phase = 'out';
      this.#onError(errorCode);
      if (errorCode !== 0) return;
      this.phase = 'in';
      this.#witness.assigned(this.generationId, text(assignment));
    });
    this.#coordinator.send(syncGroupApi, body, this.#asking(), take);
  }

  beat(): void {
    const { errorCode } = this.#coordinator.ask(heartbeatApi, this.#identity(), this.#asking());
    this.#onError(errorCode);
    if (errorCode !== 0) this.phase = 'out';
  }

  commit(partition: number, offset: number): void {
    const { generationId, ...identity } = this.#identity();
    const body = {
      ...identity,
      generationIdOrMemberEpoch: generationId,
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: null }],
        },
      ],
    };
    const reply = this.#coordinator.ask(offsetCommitApi, body, { ...this.#asking(), version: 9 });
    if (reply.topics[0]?.partitions[0]?.errorCode === 0) this.#witness.committed(partition, offset);
  }

  leave(): void {
    const members = [{ memberId: this.memberId, groupInstanceId: this.#instance }];
    this.#coordinator.ask(leaveGroupApi, { groupId: 'g', members }, this.#asking());
    this.#abandon();
    this.memberId = '';
  }

  /** Its connection dies: what it waits for never comes. */
  disconnect(newLink: number): void {
    this.#coordinator.machine.forget(this.#link);
    this.#link = newLink;
    this.#abandon();
  }

  /** It starts again and has forgotten all but its name. */
  restart(newLink: number): void {
    this.disconnect(newLink);
    this.memberId = '';
    this.generationId = -1;
  }

  #abandon(): void {
    this.#connection++;
    this.phase = 'out';
  }

  #onError(errorCode: number): void {
    if (errorCode === 25 || errorCode === 82) this.memberId = '';
  }

  #mine<Body>(take: (body: Body) => void): (body: Body) => void {
    const connection = this.#connection;
    return (body) => {
      if (connection === this.#connection) take(body);
    };
  }

  #identity() {
    const { generationId, memberId } = this;
    return { groupId: 'g', generationId, memberId, groupInstanceId: this.#instance };
  }

  #asking() {
    return { client: this.name, link: this.#link };
  }
}
