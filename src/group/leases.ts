import type { Millis } from '../model/ids.ts';
import type { Address, LeaseTerms } from '../model/machine.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../wire/apis/12-heartbeat.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import type { Member } from './member.ts';

/** Silent for this part of its session timeout, a member's gateway gives its lease back. */
const SILENT_PART = 0.5;

interface Lease {
  readonly to: Address;
  readonly member: Member;
  readonly beat: HeartbeatRequest;
}

interface GroupLeases {
  /** `Group.version` they hold for. */
  readonly version: number;
  readonly leases: Set<Lease>;
}

/**
 * Members whose heartbeats their gateways answer: as long as a group does not move, nobody but the gateway needs to
 * hear that a member lives, and the coordinator may sleep. A leased heartbeat is parked, and answered for good once the
 * group moves; it lies in no log, so whoever sleeps with leases is asked for them again.
 */
export class Leases {
  readonly #byAddress = new Map<string, Lease>();
  readonly #byGroup = new Map<Group, GroupLeases>();

  /** Where its member is to be heard of by nobody else until then. @returns what to tell; undefined: no lease. */
  grant(
    context: Context,
    { from, body, leaseUntilMs = 0 }: Asked<HeartbeatRequest>,
    nowMs: Millis,
  ): LeaseTerms | undefined {
    const group = context.groups.get(body.groupId);
    const member = group?.members.get(body.memberId);
    if (leaseUntilMs <= nowMs || member === undefined || group?.state !== 'Stable') return undefined;
    const lease = { to: from, member, beat: body };
    this.#byAddress.set(keyOf(from), lease);
    let ofGroup = this.#byGroup.get(group);
    if (ofGroup === undefined) {
      ofGroup = { version: group.version, leases: new Set() };
      this.#byGroup.set(group, ofGroup);
    }
    ofGroup.leases.add(lease);
    member.leasedUntilMs = leaseUntilMs;
    context.restartSession(member, nowMs);
    return { untilMs: leaseUntilMs, silenceMs: member.sessionTimeoutMs * SILENT_PART };
  }

  /** The last of every decision: whoever has a lease of a group that has moved hears what a heartbeat would. */
  settle(turn: Turn, beat: (turn: Turn, body: HeartbeatRequest) => number): void {
    for (const [group, { version, leases }] of this.#byGroup) {
      if (group.version === version) continue;
      this.#byGroup.delete(group);
      for (const lease of leases) {
        this.#byAddress.delete(keyOf(lease.to));
        lease.member.leasedUntilMs = -Infinity;
        const errorCode = beat(turn, lease.beat);
        turn.reply(lease.to, { throttleTimeMs: 0, errorCode } satisfies HeartbeatResponse);
      }
    }
  }

  /** A gateway gives one back: its member has been silent, or its client has gone. @returns whether it was one. */
  end(context: Context, from: Address, nowMs: Millis): boolean {
    const lease = this.#byAddress.get(keyOf(from));
    if (lease === undefined) return false;
    this.#byAddress.delete(keyOf(from));
    const group = context.groups.get(lease.beat.groupId);
    const ofGroup = group && this.#byGroup.get(group);
    ofGroup?.leases.delete(lease);
    if (group && ofGroup?.leases.size === 0) this.#byGroup.delete(group);
    // Its client may have come back by another way.
    for (const { member } of ofGroup?.leases ?? []) if (member === lease.member) return true;
    lease.member.leasedUntilMs = -Infinity;
    context.restartSession(lease.member, nowMs);
    return true;
  }
}

function keyOf({ link, correlationId }: Address): string {
  return `${link} ${correlationId}`;
}
