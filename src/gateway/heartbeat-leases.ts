import { ErrorCode } from '../model/errors.ts';
import type { LeaseTerms } from '../model/machine.ts';
import type { Millis } from '../model/ids.ts';
import type { ShardId, ShardReply } from '../ports/shard-link.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../wire/apis/12-heartbeat.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

interface Lease {
  readonly shard: ShardId;
  /** The correlation id its last answer will have. */
  readonly ask: number;
  /** The client's connection. */
  readonly link: number;
  readonly beat: HeartbeatRequest;
  readonly untilMs: Millis;
  lastBeatMs: Millis;
  stopLooking: () => void;
}

/**
 * Members whose heartbeats are answered here while their group does not move, so that its coordinator can sleep. A
 * gateway that serves one client has them: what it holds ends with the client's connection.
 */
export class HeartbeatLeases {
  readonly #gateway: Gateway;
  readonly #byMember = new Map<string, Lease>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Whether the coordinator need not hear of it. */
  covers({ connection }: Call, beat: HeartbeatRequest): boolean {
    const lease = this.#byMember.get(memberOf(beat));
    if (lease === undefined) return false;
    const nowMs = this.#gateway.clock.now();
    const { link, untilMs } = lease;
    if (link !== connection.id || untilMs <= nowMs || !isSame(lease.beat, beat)) {
      this.#giveBack(lease);
      return false;
    }
    lease.lastBeatMs = nowMs;
    return true;
  }

  /** @param told of the answer that counts for the client. */
  ask(
    call: Call,
    { shard, beat }: { shard: ShardId; beat: HeartbeatRequest },
    told: (reply: ShardReply) => void,
  ) {
    const leaseUntilMs = this.#gateway.clock.now() + this.#gateway.limits.heartbeatLeaseMs;
    const onReply = (reply: ShardReply) => {
      const { parked, lease, to } = reply;
      if (parked && lease !== undefined) {
        call.handOver(to.correlationId);
        this.#keep({ shard, ask: to.correlationId, link: call.connection.id, beat }, lease);
      }
      told(reply);
    };
    call.ask(shard, beat, onReply, { leaseUntilMs });
  }

  #keep(of: Pick<Lease, 'shard' | 'ask' | 'link' | 'beat'>, { untilMs, silenceMs }: LeaseTerms): void {
    const lease = { ...of, untilMs, lastBeatMs: this.#gateway.clock.now(), stopLooking: () => {} };
    const before = this.#byMember.get(memberOf(of.beat));
    if (before !== undefined) this.#giveBack(before);
    this.#byMember.set(memberOf(of.beat), lease);
    // The group has moved, or its coordinator has gone: the next heartbeat hears of it.
    this.#gateway.expectAgain(of.ask, () => this.#remove(lease));
    this.#look(lease, silenceMs);
  }

  /** A member that says nothing may have died. */
  #look(lease: Lease, silenceMs: Millis): void {
    const { clock } = this.#gateway;
    lease.stopLooking = clock.at(lease.lastBeatMs + silenceMs, () => {
      if (clock.now() - lease.lastBeatMs < silenceMs) this.#look(lease, silenceMs);
      else this.#giveBack(lease);
    });
  }

  #giveBack(lease: Lease): void {
    this.#remove(lease);
    if (!this.#gateway.unexpect(lease.ask)) return;
    this.#gateway.link.cancel(lease.shard, { link: lease.link, correlationId: lease.ask });
  }

  #remove(lease: Lease): void {
    lease.stopLooking();
    const member = memberOf(lease.beat);
    if (this.#byMember.get(member) === lease) this.#byMember.delete(member);
  }

  /** A client's connection has gone. */
  disconnected(link: number): void {
    for (const lease of this.#byMember.values()) if (lease.link === link) this.#giveBack(lease);
  }
}

/** What a covered heartbeat is answered. */
export const ALIVE: HeartbeatResponse = { throttleTimeMs: 0, errorCode: ErrorCode.NONE };

function memberOf({ groupId, memberId }: HeartbeatRequest): string {
  return `${groupId.length} ${groupId}${memberId}`;
}

function isSame(leased: HeartbeatRequest, { generationId, groupInstanceId }: HeartbeatRequest): boolean {
  return leased.generationId === generationId && leased.groupInstanceId === groupInstanceId;
}
