import type { AbortedTransaction } from '../../../model/aborted.ts';
import { concat } from '../../../model/bytes.ts';
import { type RemoteSegment, RemoteSegmentState } from '../../../log/tiering/remote-segment.ts';
import type { Segment } from '../../../ports/log-store.ts';
import { offsetAfter } from '../../../records/header.ts';
import type { SqliteLog } from '../sqlite-log.ts';
import type { NewRemote } from './remote-rows.ts';

/** What moves segments of one log to remote storage and out of it does to the log. Each change is a transaction. */
export class LogTiering {
  readonly #log: SqliteLog;
  readonly #commit: (work: () => void) => void;

  constructor(log: SqliteLog, commit: (work: () => void) => void) {
    this.#log = log;
    this.#commit = commit;
  }

  get segments(): readonly Segment[] {
    return this.#log.segments();
  }

  get remote(): readonly RemoteSegment[] {
    return this.#log.remote.all;
  }

  /** Its batches, one behind the other, wherever they are; undefined when it changed meanwhile. */
  async batchesOf({ baseOffset, nextOffset }: Segment): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    const { cuts } = this.#log;
    for (let from = baseOffset; from < nextOffset;) {
      const range = { fromOffset: from, endOffset: nextOffset, maxBytes: Infinity, isVerified: true };
      const bytes = await this.#log.readStored(range);
      if (this.#log.cuts !== cuts) return undefined;
      const after = offsetAfter(bytes);
      if (after === undefined) break;
      chunks.push(bytes);
      from = after;
    }
    return chunks.length === 1 ? chunks[0] : concat(chunks);
  }

  abortedIn({ baseOffset, nextOffset }: Segment): readonly AbortedTransaction[] {
    return this.#log.aborted.overlapping(baseOffset, nextOffset);
  }

  begin(place: NewRemote): RemoteSegment {
    let begun: RemoteSegment | undefined;
    this.#commit(() => {
      begun = this.#log.remote.add(place);
    });
    return begun as RemoteSegment;
  }

  /** The object is there. @returns false when what it was made of has changed meanwhile. */
  finish({ id, baseOffset, nextOffset }: RemoteSegment, nowMs: number): boolean {
    const { remote } = this.#log;
    if (remote.get(id)?.state !== RemoteSegmentState.copyStarted) return false;
    const isPartOf = (part: RemoteSegment) =>
      part.id !== id && part.baseOffset >= baseOffset && part.nextOffset <= nextOffset;
    // Parts that are nowhere else are read in the copy of the whole from now on.
    const hasParts = remote.onlyRemote.some(isPartOf);
    this.#commit(() => {
      remote.outdate(isPartOf, nowMs);
      remote.set(id, { state: RemoteSegmentState.copyFinished, sinceMs: nowMs });
      if (hasParts) this.#letGo(id);
    });
    return true;
  }

  /** A copy that is of no use: its object goes when it is time. */
  outdate({ id }: RemoteSegment, nowMs: number): void {
    this.#commit(() => this.#log.remote.outdate((each) => each.id === id, nowMs));
  }

  /** The rows of what is copied go. */
  letGo(segments: readonly RemoteSegment[]): void {
    this.#commit(() => {
      for (const { id } of segments) this.#letGo(id);
    });
  }

  /** Its object is gone. */
  forget({ id }: RemoteSegment): void {
    this.#commit(() => this.#log.remote.remove(id));
  }

  #letGo(id: number): void {
    const segment = this.#log.remote.get(id);
    if (segment?.state !== RemoteSegmentState.copyFinished) return;
    this.#log.dropRows(segment);
    this.#log.remote.set(id, { isLocal: false });
  }
}
