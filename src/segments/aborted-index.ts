import { type AbortedTransaction, AbortedTransactions } from '../model/aborted.ts';
import { sameBytes } from '../model/bytes.ts';
import type { Offset } from '../model/ids.ts';
import type { LogWrite } from '../ports/log-store.ts';
import { ABORTED_ENTRY_SIZE, decodeAborted, encodeAborted } from '../records/aborted-entries.ts';
import { replaceFile } from './atomic-file.ts';
import { flushFile } from './flush-file.ts';
import { abortedBase, segmentFile } from './layout.ts';
import type { StoreParts } from './parts.ts';
import { readAlike } from './read-alike.ts';

type Change = Pick<Extract<LogWrite, { type: 'aborted' }>, 'fromOffset' | 'transactions'>;

/** Of the segments, what this index needs to know. */
type Bases = readonly { readonly baseOffset: Offset }[];

/**
 * Kafka's `.txnindex` files of one log: which transactions were aborted, each entry in the file of the segment that has
 * the marker. All of them are in memory. Files hold a prefix of what was written, as logs do; whoever knows the
 * producers adds what a crash has taken.
 */
export class AbortedIndex {
  readonly transactions = new AbortedTransactions();
  readonly #parts: StoreParts;
  readonly #directory: string;
  /** Base offsets of the files that are there. */
  readonly #known = new Set<Offset>();
  /** Files with what was not flushed, and whether one of them is new. */
  readonly #unflushed = new Set<string>();
  #hasNew = false;

  constructor(parts: StoreParts, directory: string) {
    this.#parts = parts;
    this.#directory = directory;
  }

  path(baseOffset: Offset): string {
    return `${this.#directory}/${segmentFile(baseOffset, 'txnindex')}`;
  }

  /**
   * Takes over what an earlier process has left of a log that is `segments` and ends at `endOffset`. Entries are looked
   * for in all files: one may have outlived its segment, whose batches are in another now.
   * @param names of all files of the log.
   * @param isDurable false when that process may have died before its files were.
   * @returns from where on markers may be missing, because a file is torn or damaged; undefined when none is.
   */
  async load(
    names: readonly string[],
    { segments, endOffset, isDurable }: { segments: Bases; endOffset: Offset; isDurable: boolean },
  ): Promise<Offset | undefined> {
    const contents = new Map<Offset, Uint8Array>();
    for (const name of names) {
      const base = abortedBase(name);
      if (base !== undefined) contents.set(base, await this.#read(base));
    }
    if (contents.size === 0) return undefined;
    const start = segments[0]?.baseOffset ?? 0;
    const found = new Map<Offset, AbortedTransaction>();
    let missingFrom = Infinity;
    for (const [base, bytes] of contents) {
      const transactions = decodeAborted(bytes);
      if (transactions.length * ABORTED_ENTRY_SIZE < bytes.length)
        missingFrom = Math.min(missingFrom, (transactions.at(-1)?.lastOffset ?? base - 1) + 1);
      for (const transaction of transactions)
        if (transaction.lastOffset >= start && transaction.lastOffset < endOffset)
          found.set(transaction.lastOffset, transaction);
    }
    const sorted = [...found.values()].toSorted((a, b) => a.lastOffset - b.lastOffset);
    this.transactions.replaceFrom(0, sorted);
    await this.settle(segments, contents);
    if (!isDurable) {
      for (const base of this.#known) this.#unflushed.add(this.path(base));
      this.#hasNew = true;
      await this.flush();
    }
    return missingFrom === Infinity ? undefined : missingFrom;
  }

  /** In memory at once. @returns what makes the files follow. */
  replaceFrom({ fromOffset, transactions }: Change, segments: Bases): () => Promise<void> {
    const known = this.transactions;
    const isNext = known.countBelow(fromOffset) === known.count;
    known.replaceFrom(fromOffset, transactions);
    const active = segments.at(-1)?.baseOffset ?? 0;
    // Mostly there is one more.
    const [next] = transactions;
    if (next && transactions.length === 1 && isNext && fromOffset >= active)
      return this.#append(next, active);
    const bases = segments.slice();
    // As they are now: when their turn comes, there may be others whose batches are not written yet.
    const held = new AbortedTransactions();
    held.replaceFrom(0, known.slice(0, known.count));
    return () => this.#settle(bases, held);
  }

  #append(transaction: AbortedTransaction, baseOffset: Offset): () => Promise<void> {
    const known = this.transactions;
    const position = (known.count - 1 - known.countBelow(baseOffset)) * ABORTED_ENTRY_SIZE;
    return async () => {
      const path = this.path(baseOffset);
      const isNew = !this.#known.has(baseOffset);
      await this.#parts.files.use(
        path,
        async (file) => {
          // What an earlier segment of that name has left.
          if (isNew) await file.truncate(0);
          await file.write(position, [encodeAborted([transaction])]);
        },
        true,
      );
      this.#known.add(baseOffset);
      this.#unflushed.add(path);
      this.#hasNew ||= isNew;
    };
  }

  /** The log was cut to `logEndOffset`. @param flush makes that durable. */
  async cut(
    { segments, logEndOffset }: { segments: Bases; logEndOffset: Offset },
    flush: () => Promise<void>,
  ): Promise<void> {
    if (this.transactions.countBelow(logEndOffset) === this.transactions.count) return;
    this.transactions.replaceFrom(logEndOffset, []);
    await flush();
    await this.settle(segments);
  }

  /** Makes what was written durable. */
  async flush(): Promise<void> {
    if (this.#unflushed.size === 0) return;
    const paths = [...this.#unflushed];
    const hasNew = this.#hasNew;
    this.#unflushed.clear();
    this.#hasNew = false;
    for (const path of paths) await flushFile(this.#parts, path);
    if (hasNew) await this.#parts.disk.flushDirectory(this.#directory);
    const suspect = paths.find((path) => this.#parts.suspects.has(path));
    if (suspect !== undefined) throw new Error(`${suspect} is not durable: an earlier flush of it failed`);
  }

  /**
   * Makes the files hold what is known, durably: each the markers of its segment. Others go.
   * @param contents of all files, where they were read just now.
   */
  settle(segments: Bases, contents?: ReadonlyMap<Offset, Uint8Array>): Promise<void> {
    return this.#settle(segments, this.transactions, contents);
  }

  async #settle(
    segments: Bases,
    transactions: AbortedTransactions,
    contents?: ReadonlyMap<Offset, Uint8Array>,
  ): Promise<void> {
    const { disk, files, suspects } = this.#parts;
    const start = segments[0]?.baseOffset ?? 0;
    // What a trim takes goes with it.
    const gone = new Set(contents?.keys() ?? [...this.#known].filter((base) => base >= start));
    let isChanged = false;
    for (const [number, { baseOffset }] of segments.entries()) {
      const end = transactions.countBelow(segments[number + 1]?.baseOffset ?? Infinity);
      const from = transactions.countBelow(baseOffset);
      if (from === end) continue;
      const bytes = encodeAborted(transactions.slice(from, end));
      const path = this.path(baseOffset);
      const held = contents?.get(baseOffset) ?? (await this.#held(baseOffset));
      if (!held || suspects.has(path) || !sameBytes(held, bytes)) {
        await files.forget(path);
        await replaceFile(disk, path, bytes);
        suspects.delete(path);
        this.#unflushed.delete(path);
        isChanged = true;
      }
      this.#known.add(baseOffset);
      gone.delete(baseOffset);
    }
    // Not before what they held is elsewhere.
    if (isChanged) await disk.flushDirectory(this.#directory);
    for (const baseOffset of gone) await this.#remove(baseOffset);
    if (gone.size > 0) await disk.flushDirectory(this.#directory);
  }

  /** The segments that began below `offset` are gone. @returns what removes their files, if there are any. */
  dropBelow(offset: Offset): (() => Promise<void>) | undefined {
    if (this.transactions.countBelow(offset) === 0) return undefined;
    this.transactions.dropBelow(offset);
    return async () => {
      for (const base of this.#known) if (base < offset) await this.#remove(base);
    };
  }

  async #remove(baseOffset: Offset): Promise<void> {
    const path = this.path(baseOffset);
    this.#known.delete(baseOffset);
    this.#unflushed.delete(path);
    this.#parts.suspects.delete(path);
    await this.#parts.files.forget(path);
    await this.#parts.disk.remove(path);
  }

  async #held(baseOffset: Offset): Promise<Uint8Array | undefined> {
    return this.#known.has(baseOffset) ? this.#read(baseOffset) : undefined;
  }

  /** No entry has a checksum. */
  #read(baseOffset: Offset): Promise<Uint8Array> {
    return this.#parts.files.use(this.path(baseOffset), async (file) =>
      readAlike(file, 0, await file.size()),
    );
  }
}
