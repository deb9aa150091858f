import { sameBytes } from '../model/bytes.ts';
import type { Deadline } from './deadlines.ts';
import type { Due } from './context.ts';
import type { Waiting } from './waiting.ts';

/** One way to share the work that a member knows, and what it wants the leader to know for it. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

export const NO_BYTES = new Uint8Array(0);

export interface MemberFacts {
  readonly memberId: string;
  /** The name of a static member (KIP-345), which outlives its member id. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** In order of preference, at least one. */
  readonly protocols: readonly Protocol[];
}

export class Member {
  memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly Protocol[];
  /** What the leader gave it in the last generation that was committed; changed by `apply` alone. */
  assignment: Uint8Array = NO_BYTES;
  /** It waits in its first JoinGroup: it cannot send heartbeats, so it expires even while it waits. */
  isNew = false;
  join: Waiting | undefined;
  sync: Waiting | undefined;
  readonly session: Deadline<Due>;

  constructor(facts: MemberFacts, session: (member: Member) => Deadline<Due>) {
    this.memberId = facts.memberId;
    this.groupInstanceId = facts.groupInstanceId;
    this.clientId = facts.clientId;
    this.clientHost = facts.clientHost;
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs;
    this.sessionTimeoutMs = facts.sessionTimeoutMs;
    this.protocols = facts.protocols;
    this.session = session(this);
  }
}

/**
 * From this version of JoinGroup on a member must first fetch its id (KIP-394), or every retry would make another
 * member.
 */
export const MEMBER_ID_REQUIRED_VERSION = 4;
/**
 * The readable part of a member id: a client id may be as long as a string can be, its member id must fit
 * too.
 */
const MEMBER_ID_PREFIX_MAX = 255;

export function makeMemberId(newId: () => string, name: string): string {
  const prefix = name.slice(0, MEMBER_ID_PREFIX_MAX).toWellFormed();
  return `${prefix}-${newId()}`;
}

export function metadataOf(member: Member, protocol: string | null): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
}

/** Copies what a request holds as views, so that a member does not keep a whole frame in memory. */
export function copyProtocols(protocols: readonly Protocol[]): Protocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() }));
}

export function sameProtocols(left: readonly Protocol[], right: readonly Protocol[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ name, metadata }, index) => {
      const other = right[index];
      return other?.name === name && sameBytes(metadata, other.metadata);
    })
  );
}
