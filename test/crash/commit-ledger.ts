interface Commits {
  /** All that were sent, in order. */
  sent: number[];
  /** Of the newest that was acknowledged; -1 for none. */
  ackedIndex: number;
}

/** A moment in a position's history. */
export type CommitMark = number;

/** What groups have committed for each log: what was acknowledged, and what is still on its way. */
export class CommitLedger {
  readonly #positions = new Map<string, Commits>();

  /** @returns what to call when it is acknowledged. */
  sent(group: string, log: string, offset: number): () => void {
    const commits = this.#of(group, log);
    const index = commits.sent.push(offset) - 1;
    return () => {
      commits.ackedIndex = Math.max(commits.ackedIndex, index);
    };
  }

  mark(group: string, log: string): CommitMark {
    return this.#of(group, log).ackedIndex;
  }

  /** The newest that was acknowledged, -1 for none. */
  acked(group: string, log: string): number {
    const { sent, ackedIndex } = this.#of(group, log);
    return sent[ackedIndex] ?? -1;
  }

  /** Whether the committed offset may be this: acknowledged at that mark, or sent after it. -1 is none at all. */
  mayBe(group: string, log: string, { since, offset }: { since: CommitMark; offset: number }): boolean {
    const { sent } = this.#of(group, log);
    if (since < 0 && offset === -1) return true;
    return sent.lastIndexOf(offset) >= Math.max(since, 0);
  }

  /** For people: what it should have been. */
  describe(group: string, log: string, since: CommitMark): string {
    const { sent } = this.#of(group, log);
    const acknowledged = since < 0 ? 'none' : sent[since];
    return `${acknowledged} acknowledged, then sent ${sent.slice(since + 1, since + 6).join(' ') || 'none'}`;
  }

  #of(group: string, log: string): Commits {
    const key = `${group} ${log}`;
    let commits = this.#positions.get(key);
    if (commits === undefined) this.#positions.set(key, (commits = { sent: [], ackedIndex: -1 }));
    return commits;
  }
}
