import { at } from '../model/assert.ts';
import type { LeaderEpoch, Offset } from '../model/ids.ts';

/** Kafka's file beside the log, and our name for the value. */
export const EPOCHS_NAME = 'leader-epoch-checkpoint';
const CHECKPOINT_VERSION = '0';

export interface EpochEntry {
  epoch: LeaderEpoch;
  /** First offset written under it. */
  startOffset: Offset;
}

/** Which leader wrote what: epochs and start offsets, both rising (KIP-101). */
export class EpochCache {
  #entries: EpochEntry[];

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries];
  }

  /** Reads Kafka's text form; undefined when it is not that. */
  static decode(bytes: Uint8Array): EpochCache | undefined {
    const [version, count, ...lines] = new TextDecoder().decode(bytes).trimEnd().split('\n');
    if (version !== CHECKPOINT_VERSION || Number(count) !== lines.length) return undefined;
    const cache = new EpochCache();
    for (const line of lines) {
      const match = /^(\d{1,10}) (\d{1,15})$/.exec(line);
      if (!match || !cache.assign(Number(match[1]), Number(match[2]))) return undefined;
    }
    return cache.entries.length === lines.length ? cache : undefined;
  }

  /** Kafka's text form: version, count, a line an entry. */
  encode(): Uint8Array {
    const lines = this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}\n`);
    return new TextEncoder().encode(`${CHECKPOINT_VERSION}\n${lines.length}\n${lines.join('')}`);
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** -1 when there is none. */
  get latest(): LeaderEpoch {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /** Epoch that the record at `offset` was written under, -1 when unknown. */
  epochAt(offset: Offset): LeaderEpoch {
    return this.#entries.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1;
  }

  /**
   * `epoch` begins at `startOffset`. Entries this contradicts (same or later epoch, same or later start) go.
   * @returns whether anything changed.
   */
  assign(epoch: LeaderEpoch, startOffset: Offset): boolean {
    const last = this.#entries.at(-1);
    if (epoch < 0 || (last?.epoch === epoch && last.startOffset <= startOffset)) return false;
    this.#entries = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset);
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /**
   * Where `epoch` ended, for a replica or consumer that looks for where it diverged: the largest epoch <=
   * the asked one and its exclusive end. Both -1 when `epoch` is newer than all; an epoch older than all
   * ends where the first known one starts.
   */
  endOffsetFor(epoch: LeaderEpoch, logEndOffset: Offset): { epoch: LeaderEpoch; endOffset: Offset } {
    if (epoch < 0 || epoch > this.latest) return { epoch: -1, endOffset: -1 };
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset };
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = at(this.#entries, higher).startOffset;
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset };
  }

  /** Drops what starts at or above the log's new end. @returns whether anything changed. */
  truncateFromEnd(endOffset: Offset): boolean {
    const kept = this.#entries.filter(({ startOffset }) => startOffset < endOffset);
    const changed = kept.length < this.#entries.length;
    this.#entries = kept;
    return changed;
  }

  /** The log now starts at `startOffset`, and so does the epoch there. @returns whether anything changed. */
  truncateFromStart(startOffset: Offset): boolean {
    const first = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    const entry = this.#entries[first];
    if (!entry || (first === 0 && entry.startOffset === startOffset)) return false;
    this.#entries = [{ epoch: entry.epoch, startOffset }, ...this.#entries.slice(first + 1)];
    return true;
  }
}
