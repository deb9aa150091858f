import type { LeaseTerms } from '../model/machine.ts';
import type { Millis } from '../model/ids.ts';
import type { ShardId, ShardReply } from '../ports/shard-link.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

/** What a lease is about in a heartbeat of any protocol. */
export interface Beat {
  readonly groupId: string;
  readonly memberId: string;
  /** What it says, where that is no more than that its member lives; undefined: it says more. */
  readonly alive: string | undefined;
  /** The answer to the next one like it, by the one to the first. */
  readonly again: (first: unknown) => unknown;
}

interface Asked {
  readonly shard: ShardId;
  readonly request: unknown;
  readonly beat: Beat;
  /** Told of the answer that counts for the client. */
  readonly told: (reply: ShardReply) => void;
}

interface Lease {
  readonly shard: ShardId;
  /** The correlation id its last answer will have. */
  readonly ask: number;
  /** The client's connection. */
  readonly link: number;
  readonly beat: Beat;
  readonly answer: unknown;
  /** Topics may come and go, and their readers be given others: the coordinator decides. */
  readonly metadataVersion: number;
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

  /** Answers a heartbeat, or asks the coordinator, for a lease if it may be had. */
  beat(call: Call, { shard, request, beat, told }: Asked): void {
    const lease = this.#covering(call, beat);
    if (lease !== undefined) return call.reply(lease.answer);
    if (beat.alive === undefined) return void call.ask(shard, request, told);
    const { clock, image, limits } = this.#gateway;
    const leaseUntilMs = clock.now() + limits.heartbeatLeaseMs;
    const { version: metadataVersion } = image;
    const onReply = (reply: ShardReply) => {
      const { parked, lease: terms, to, body } = reply;
      if (parked && terms !== undefined) {
        call.handOver(to.correlationId);
        const link = call.connection.id;
        const of = { shard, ask: to.correlationId, link, beat, answer: beat.again(body), metadataVersion };
        this.#keep(of, terms);
      }
      told(reply);
    };
    call.ask(shard, request, onReply, { leaseUntilMs });
  }

  /** Where the coordinator need not hear of it. One that it must hear of gives the lease back. */
  #covering({ connection }: Call, beat: Beat): Lease | undefined {
    const lease = this.#byMember.get(memberOf(beat));
    if (lease === undefined) return undefined;
    const nowMs = this.#gateway.clock.now();
    const { link, untilMs, metadataVersion } = lease;
    const isSame = link === connection.id && lease.beat.alive === beat.alive;
    if (!isSame || untilMs <= nowMs || metadataVersion !== this.#gateway.image.version) {
      this.#giveBack(lease);
      return undefined;
    }
    lease.lastBeatMs = nowMs;
    return lease;
  }

  #keep(of: Omit<Lease, 'untilMs' | 'lastBeatMs' | 'stopLooking'>, { untilMs, silenceMs }: LeaseTerms): void {
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

function memberOf({ groupId, memberId }: Beat): string {
  return `${groupId.length} ${groupId}${memberId}`;
}
