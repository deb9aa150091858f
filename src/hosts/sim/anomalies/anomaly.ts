/**
 * What can be wrong with a history, by Jepsen's names, and whether it is bad. Members of a group may skip and go back
 * when their partitions move; writers interleave, so cycles of writes are no promise broken.
 */
export const KINDS = {
  /** What was written, or a part of its transaction was read, is below what somebody read, and nobody read it. */
  'lost-write': 'bad',
  /** What was acknowledged was never read by anyone, until the end. */
  unseen: 'bad',
  /** One value at two offsets. */
  duplicate: 'bad',
  /** Two values at one offset. */
  'inconsistent-offsets': 'bad',
  /** A value was read whose write failed or was aborted. */
  G1a: 'bad',
  /** A value was read that nobody wrote. */
  'never-sent': 'bad',
  /** A transaction read what it wrote itself. */
  'precommitted-read': 'bad',
  /** From one poll to the next there was something in between. */
  'poll-skip': 'bad',
  'poll-skip of a member': 'allowed',
  /** A poll began where the one before had been already. */
  'nonmonotonic-poll': 'bad',
  'nonmonotonic-poll of a member': 'allowed',
  /** The same within one operation. */
  'int-poll-skip': 'bad',
  'int-nonmonotonic-poll': 'bad',
  /** A later send of a process has an earlier place. */
  'nonmonotonic-send': 'bad',
  'int-nonmonotonic-send': 'bad',
  /** Between two sends of an operation are those of others. */
  'int-send-skip': 'allowed',
  /** Cycles of writes alone; with the order of a process; with the order of time. */
  G0: 'allowed',
  'G0-process': 'allowed',
  'G0-realtime': 'allowed',
  /** Cycles with reads in them. */
  G1c: 'bad',
  'G1c-process': 'bad',
  'G1c-realtime': 'bad',
  /** Cycles of reads and writes. */
  'G1c with writes': 'allowed',
  /** Of one thing two were made that count, or none. */
  'processed twice': 'bad',
  unprocessed: 'bad',
} as const satisfies Record<string, 'bad' | 'allowed'>;

export type Kind = keyof typeof KINDS;

export interface Anomaly {
  kind: Kind;
  /** For people. */
  what: string;
}

export function isBad({ kind }: Anomaly): boolean {
  return KINDS[kind] === 'bad';
}

/** So many of a kind are told one by one; a history that is wrong may be wrong everywhere. */
const TOLD_MAX = 20;

export class Anomalies {
  readonly all: Anomaly[] = [];
  readonly counts = new Map<Kind, number>();

  add(kind: Kind, what: () => string): void {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count <= TOLD_MAX) this.all.push({ kind, what: what() });
  }
}
