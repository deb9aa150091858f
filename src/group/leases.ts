import type { Millis } from '../model/ids.ts';
import type { Address, LeaseTerms } from '../model/machine.ts';
import type { Asked, Context, Due, Turn } from './context.ts';
import type { Deadline } from './deadlines.ts';
import type { Group } from './group.ts';

/** Silent for this part of its session timeout, a member's gateway gives its lease back. */
const SILENT_PART = 0.5;

/** A member whose heartbeats its gateway may answer, as long as its group does not move. */
export interface Leased {
  readonly group: Group;
  readonly session: Deadline<Due>;
  readonly timeoutMs: Millis;
  /** What the heartbeat is answered for good once the group has moved: a decision as any other. */
  readonly moved: (turn: Turn) => unknown;
}

interface Lease extends Leased {
  readonly to: Address;
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
  /** Until when nobody else hears of a member. */
  readonly #untilMs = new Map<Deadline<Due>, Millis>();

  /** @param leased undefined where the group moves. @returns what to tell; undefined: no lease. */
  grant(
    context: Context,
    { from, leaseUntilMs = 0 }: Asked<unknown>,
    leased: Leased | undefined,
    nowMs: Millis,
  ): LeaseTerms | undefined {
    if (leaseUntilMs <= nowMs || leased === undefined) return undefined;
    const { group, session, timeoutMs } = leased;
    const lease = { to: from, ...leased };
    this.#byAddress.set(keyOf(from), lease);
    let ofGroup = this.#byGroup.get(group);
    if (ofGroup === undefined) {
      ofGroup = { version: group.version, leases: new Set() };
      this.#byGroup.set(group, ofGroup);
    }
    ofGroup.leases.add(lease);
    this.#untilMs.set(session, leaseUntilMs);
    context.deadlines.set(session, leaseUntilMs + timeoutMs);
    return { untilMs: leaseUntilMs, silenceMs: timeoutMs * SILENT_PART };
  }

  /** From when on a session counts that begins anew: what else a leased member does does not shorten it. */
  sessionFrom(session: Deadline<Due>, nowMs: Millis): Millis {
    return Math.max(nowMs, this.#untilMs.get(session) ?? nowMs);
  }

  /** The last of every decision: whoever has a lease of a group that has moved hears what a heartbeat would. */
  settle(turn: Turn): void {
    for (const [group, { version, leases }] of this.#byGroup) {
      if (group.version === version) continue;
      this.#byGroup.delete(group);
      for (const lease of leases) {
        this.#byAddress.delete(keyOf(lease.to));
        this.#untilMs.delete(lease.session);
        turn.reply(lease.to, lease.moved(turn));
      }
    }
  }

  /** A gateway gives one back: its member has been silent, or its client has gone. @returns whether it was one. */
  end(context: Context, from: Address, nowMs: Millis): boolean {
    const lease = this.#byAddress.get(keyOf(from));
    if (lease === undefined) return false;
    this.#byAddress.delete(keyOf(from));
    const { group, session, timeoutMs } = lease;
    const ofGroup = this.#byGroup.get(group);
    ofGroup?.leases.delete(lease);
    if (ofGroup?.leases.size === 0) this.#byGroup.delete(group);
    // Its client may have come back by another way.
    for (const other of ofGroup?.leases ?? []) if (other.session === session) return true;
    this.#untilMs.delete(session);
    context.deadlines.set(session, nowMs + timeoutMs);
    return true;
  }
}

function keyOf({ link, correlationId }: Address): string {
  return `${link} ${correlationId}`;
}
