import type { GatewayLimits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Part } from './fetch-call.ts';
import { type FetchSession, INITIAL_EPOCH, nextEpoch, opened, sizeOf } from './session.ts';

const ID_MAX = 0x7fff_ffff;

/**
 * All fetch sessions of a gateway, within bounds: when there are too many, a new one takes the place of another that
 * is worth less, or is not made. A client without one sends whole requests; nothing else is lost when one goes.
 */
export class FetchSessions {
  readonly #limits: GatewayLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  /** The longest unused first. */
  readonly #sessions = new Map<number, FetchSession>();
  #sizeBytes = 0;
  /** How many had to make room for others so far. */
  evictions = 0;

  constructor({ limits, clock, random }: { limits: GatewayLimits; clock: Clock; random: Random }) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Estimate of the memory they take. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get partitionCount(): number {
    return [...this.#sessions.values()].reduce((sum, { partitions }) => sum + partitions.size, 0);
  }

  /** @returns the id of a new session whose client has these answers, or 0 when there is no room for it. */
  open(
    owner: { principal: string; isFollower: boolean; usesTopicIds: boolean },
    parts: readonly Part[],
  ): number {
    const sizeBytes = parts.reduce((sum, { wanted }) => sum + sizeOf(wanted), 0);
    if (!this.#makeRoom(owner.isFollower, parts.length, sizeBytes)) return 0;
    const now = this.#clock.now();
    const session: FetchSession = {
      ...owner,
      id: this.#newId(),
      createdMs: now,
      lastUsedMs: now,
      epoch: nextEpoch(INITIAL_EPOCH),
      partitions: new Map(),
      sizeBytes: 0,
    };
    opened(session, parts);
    this.#sessions.set(session.id, session);
    this.#sizeBytes += session.sizeBytes;
    return session.id;
  }

  /** Undefined too for one of somebody else's: who asks shall not learn that it is there. */
  get(id: number, principal: string): FetchSession | undefined {
    const session = this.#sessions.get(id);
    return session?.principal === principal ? session : undefined;
  }

  /** @returns whether there was one. */
  close(id: number, principal: string): boolean {
    const session = this.get(id, principal);
    if (session !== undefined) this.#remove(session);
    return session !== undefined;
  }

  /**
   * The session goes on; `change` makes what its request says of its partitions.
   * @returns false when it has grown too large to be kept, and is gone.
   */
  use(session: FetchSession, change: () => void): boolean {
    const before = session.sizeBytes;
    change();
    this.#sizeBytes += session.sizeBytes - before;
    if (this.#sizeBytes > this.#limits.fetchSessionBytesMax) {
      this.#remove(session);
      return false;
    }
    session.lastUsedMs = this.#clock.now();
    session.epoch = nextEpoch(session.epoch);
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    return true;
  }

  #remove(session: FetchSession): void {
    this.#sessions.delete(session.id);
    this.#sizeBytes -= session.sizeBytes;
  }

  #newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.#random.next() * ID_MAX);
      if (!this.#sessions.has(id)) return id;
    }
  }

  #makeRoom(isFollower: boolean, partitions: number, sizeBytes: number): boolean {
    const { fetchSessionsMax, fetchSessionBytesMax } = this.#limits;
    if (fetchSessionsMax === 0 || sizeBytes > fetchSessionBytesMax) return false;
    while (this.#sessions.size >= fetchSessionsMax || this.#sizeBytes + sizeBytes > fetchSessionBytesMax) {
      const victim = this.#victim(isFollower, partitions);
      if (victim === undefined) return false;
      this.#remove(victim);
      this.evictions++;
    }
    return true;
  }

  /**
   * Kafka's rule: whoever has not used his for long; else the smallest that is not new, consumers' before followers',
   * if it is no larger than the new one. A follower takes the place of any consumer, a consumer that of no follower.
   */
  #victim(isFollower: boolean, partitions: number): FetchSession | undefined {
    const since = this.#clock.now() - this.#limits.fetchSessionEvictionMs;
    const [idle] = this.#sessions.values();
    if (idle === undefined || idle.lastUsedMs < since) return idle;
    let least: FetchSession | undefined;
    for (const session of this.#sessions.values()) {
      const isOld = session.createdMs < since;
      const isEvictable = isOld || (isFollower && !session.isFollower);
      if (isEvictable && (least === undefined || isWorthLess(session, least))) least = session;
    }
    if (least === undefined) return undefined;
    if (isFollower !== least.isFollower) return isFollower ? least : undefined;
    return least.partitions.size <= partitions ? least : undefined;
  }
}

function isWorthLess(one: FetchSession, other: FetchSession): boolean {
  if (one.isFollower !== other.isFollower) return other.isFollower;
  return one.partitions.size < other.partitions.size;
}
