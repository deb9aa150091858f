import type { Millis, Offset } from '../../model/ids.ts';
import { holds } from './broken.ts';
import type { LogLedger } from './ledger.ts';

/** Milliseconds. Twice the second is how long a group may take to become stable. */
export const SESSION_TIMEOUT_MS = 6_000;
export const REBALANCE_TIMEOUT_MS = 8_000;

interface Generation {
  owners: Map<LogLedger, string>;
  /** When its first member had its assignment. */
  sinceMs: Millis;
}

/** What the members of one group were told. */
export class GroupLedger {
  readonly groupId: string;
  readonly #generations = new Map<number, Generation>();
  readonly #committed = new Map<LogLedger, { offset: Offset; losses: number }>();
  /** Its log was allowed to lose what it had. */
  isForgotten = false;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  /** A member (or static instance) has its assignment: nobody else has any of it in that generation. */
  assigned(generationId: number, memberId: string, logs: readonly LogLedger[], nowMs: Millis): void {
    if (this.isForgotten || !this.hasCommitted) return;
    let generation = this.#generations.get(generationId);
    if (generation === undefined) {
      generation = { owners: new Map(), sinceMs: nowMs };
      this.#generations.set(generationId, generation);
    }
    for (const log of logs) {
      const owner = generation.owners.get(log) ?? memberId;
      holds(owner === memberId, 'I10', () => {
        return `${log.title} belongs to ${owner} and ${memberId} in generation ${generationId} of ${this.groupId}`;
      });
      generation.owners.set(log, memberId);
    }
  }

  /** A commit that was sent at `sentAtMs` by a member of that generation was taken. */
  committed(log: LogLedger, commit: { offset: Offset; generationId: number; sentAtMs: Millis }): void {
    if (this.isForgotten) return;
    const { offset, generationId, sentAtMs } = commit;
    for (const [later, { sinceMs }] of this.#generations) {
      holds(later <= generationId || sinceMs >= sentAtMs, 'I10', () => {
        return `${this.groupId} takes a commit of generation ${generationId}, long after ${later} began`;
      });
    }
    const before = this.#committed.get(log);
    const isHigher = before === undefined || before.losses !== log.losses || before.offset < offset;
    if (isHigher) this.#committed.set(log, { offset, losses: log.losses });
  }

  /** What the group says of its position. */
  positionRead(log: LogLedger, offset: Offset): void {
    const before = this.#committed.get(log);
    if (before === undefined || before.losses !== log.losses) return;
    holds(offset >= before.offset, 'I10', () => {
      return `${this.groupId} is at ${offset} of ${log.title}, ${before.offset} was committed`;
    });
  }

  /**
   * Its log was allowed to lose what it had. Generations that are lost come again with other members, and two of them
   * commit under one number: there is nothing to hold the group to any more.
   */
  forget(): void {
    this.isForgotten = true;
    this.#generations.clear();
    this.#committed.clear();
  }

  /** Before its first commit a group may be forgotten with its last member, and its generations begin anew. */
  get hasCommitted(): boolean {
    return this.#committed.size > 0;
  }
}
