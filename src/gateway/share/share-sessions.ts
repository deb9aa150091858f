import { ErrorCode } from '../../model/errors.ts';
import type { Uuid } from '../../model/ids.ts';
import { nextEpoch } from '../fetch/session.ts';

/** Epochs with a meaning: the first opens a session, the last closes it. */
export const INITIAL_SHARE_EPOCH = 0;
export const FINAL_SHARE_EPOCH = -1;

/** A partition of a share session. */
export interface SharedPartition {
  readonly topicId: Uuid;
  readonly partition: number;
}

/** What a member need not say again, and must be released when it goes (KIP-932). Plain data. */
export interface ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  /** It alone may use it. */
  readonly principal: string;
  /** With the connection it was opened on it ends. */
  readonly link: number;
  /** What its next request must say. */
  epoch: number;
  /** In the order in which they are served: those that gave records go to the end. */
  readonly partitions: Map<string, SharedPartition>;
  /** Fetches under way: what a shard gave them after its end would stay with nobody. */
  readonly fetches: Set<{ end(): void }>;
}

interface Owner {
  groupId: string;
  memberId: string;
  principal: string;
  link: number;
}

export function partitionKey({ topicId, partition }: SharedPartition): string {
  return `${topicId}/${partition}`;
}

/** All share sessions of a gateway, one a member. */
export class ShareSessions {
  readonly #sessions = new Map<string, ShareSession>();
  readonly #byLink = new Map<number, Set<ShareSession>>();

  get size(): number {
    return this.#sessions.size;
  }

  /** In place of the member's last one. Undefined when there are too many already. */
  open(owner: Owner, sessionsMax: number): ShareSession | undefined {
    const before = this.#sessions.get(keyOf(owner));
    if (before !== undefined) this.close(before);
    if (this.#sessions.size >= sessionsMax) return undefined;
    const epoch = nextEpoch(INITIAL_SHARE_EPOCH);
    const session: ShareSession = { ...owner, epoch, partitions: new Map(), fetches: new Set() };
    this.#sessions.set(keyOf(owner), session);
    const others = this.#byLink.get(owner.link);
    if (others === undefined) this.#byLink.set(owner.link, new Set([session]));
    else others.add(session);
    return session;
  }

  /** Who asks for somebody else's does not learn that it is there. */
  of(owner: Omit<Owner, 'link'>): ShareSession | undefined {
    const session = this.#sessions.get(keyOf(owner));
    return session?.principal === owner.principal ? session : undefined;
  }

  /** The session a request goes on with, whose epoch moves unless it is the last; or why it may not. */
  use(owner: Omit<Owner, 'link'>, epoch: number): ShareSession | number {
    const session = this.of(owner);
    if (session === undefined) return ErrorCode.SHARE_SESSION_NOT_FOUND;
    if (epoch === FINAL_SHARE_EPOCH) return session;
    if (session.epoch !== epoch) return ErrorCode.INVALID_SHARE_SESSION_EPOCH;
    session.epoch = nextEpoch(session.epoch);
    return session;
  }

  close(session: ShareSession): void {
    for (const fetch of session.fetches) fetch.end();
    this.#sessions.delete(keyOf(session));
    const others = this.#byLink.get(session.link);
    others?.delete(session);
    if (others?.size === 0) this.#byLink.delete(session.link);
  }

  /** The connection is gone. @returns its sessions, which are closed. */
  disconnected(link: number): ShareSession[] {
    const sessions = [...(this.#byLink.get(link) ?? [])];
    for (const session of sessions) this.close(session);
    return sessions;
  }
}

function keyOf({ groupId, memberId }: { groupId: string; memberId: string }): string {
  return `${groupId.length}:${groupId}${memberId}`;
}
