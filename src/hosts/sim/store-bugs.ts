import type { Kernels } from '../../kernels/kernels.ts';
import { encodeSnapshot } from '../../log/producer-snapshot.ts';
import { ProducerStates } from '../../log/producers.ts';
import { snapshotOffset } from '../../log/snapshots.ts';
import { concat } from '../../model/bytes.ts';
import { type LogKey, METADATA_TOPIC_ID, type Offset } from '../../model/ids.ts';
import type { Files, OpenFile } from '../../ports/files.ts';
import type { LogStore, LogWrite, ReadRange } from '../../ports/log-store.ts';
import { BatchHeader, forEachBatch } from '../../records/header.ts';
import { WrappedStore } from './wrapped-store.ts';

/* Stores and files with a bug: see `BUGS`. */

type Append = Extract<LogWrite, { type: 'append' }>;

type Replace = LogStore['replace'];

/** Compaction that loses some batches on their way. */
export class LosesReplaced extends WrappedStore {
  override readonly replace: Replace;

  constructor(inner: LogStore, isLost: (header: BatchHeader) => boolean) {
    super(inner);
    this.replace = losing((log, range) => inner.replace(log, range), isLost);
  }
}

function losing(replace: Replace, isLost: (header: BatchHeader) => boolean): Replace {
  return (log, range) => {
    const inner = replace(log, range);
    return {
      write(bytes, nextOffset) {
        const kept: Uint8Array[] = [];
        forEachBatch(bytes, (header) => {
          if (!isLost(header)) kept.push(header.bytes);
        });
        return inner.write(concat(kept), nextOffset);
      },
      finish: () => inner.finish(),
      abandon: () => inner.abandon(),
    };
  };
}

function isOfTopic({ log }: Append): boolean {
  return !log.startsWith(METADATA_TOPIC_ID);
}

const EVERY = 60;

/** One append in so many never reaches the store. */
export class Drops extends WrappedStore {
  #appends = 0;

  override commit(writes: readonly LogWrite[]): Promise<void> {
    const isKept = (write: LogWrite) =>
      write.type !== 'append' || !isOfTopic(write) || ++this.#appends % EVERY !== 0;
    return super.commit(writes.filter(isKept));
  }
}

/** One append in so many takes the place of the one before it. */
export class Reuses extends WrappedStore {
  #appends = 0;
  readonly #lastBases = new Map<LogKey, Offset>();

  override commit(writes: readonly LogWrite[]): Promise<void> {
    return super.commit(writes.flatMap((write) => (write.type === 'append' ? this.#moved(write) : [write])));
  }

  #moved(write: Append): LogWrite[] {
    const { log, baseOffset, lastOffset, epoch } = write;
    const before = this.#lastBases.get(log);
    this.#lastBases.set(log, baseOffset);
    if (before === undefined || !isOfTopic(write) || ++this.#appends % EVERY !== 0) return [write];
    const bytes = write.bytes.slice();
    new BatchHeader(bytes).stamp(before, epoch);
    return [
      { type: 'truncate', log, toOffset: before },
      { ...write, baseOffset: before, lastOffset: before + lastOffset - baseOffset, bytes },
    ];
  }
}

/** Says that a commit is done when it has only begun. */
export class AnswersEarly extends WrappedStore {
  override commit(writes: readonly LogWrite[]): Promise<void> {
    super.commit(writes).catch(() => undefined);
    return Promise.resolve();
  }
}

/** Finds every producer snapshot empty. */
export class ForgetsProducers extends WrappedStore {
  readonly #empty: Uint8Array;

  constructor(inner: LogStore, kernels: Kernels) {
    super(inner);
    this.#empty = encodeSnapshot(new ProducerStates(), kernels);
  }

  override async get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return snapshotOffset(name) === undefined ? super.get(log, name) : this.#empty;
  }
}

/** Clients read what is not committed, too. */
export class ServesUncommitted extends WrappedStore {
  override read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return super.read(log, range.isVerified ? range : { ...range, endOffset: Infinity });
  }
}

/** Index files end one entry early for a process that opens them. */
export function shortIndexes(files: Files): Files {
  const entrySizes = new Map([
    ['index', 8],
    ['timeindex', 12],
  ]);
  return opening(files, (path, file) => {
    const entry = entrySizes.get(path.slice(path.lastIndexOf('.') + 1)) ?? 0;
    return { ...file, size: async () => Math.max(0, (await file.size()) - entry) };
  });
}

/** What is read once more, and was not written meanwhile, is what the first read gave. */
export function believesFirstReads(files: Files): Files {
  const known = new Map<string, Uint8Array>();
  const changed = <T>(change: () => Promise<T>): Promise<T> => {
    known.clear();
    return change().finally(() => known.clear());
  };
  const opened = opening(files, (path, file) => ({
    ...file,
    write: (position, chunks) => changed(() => file.write(position, chunks)),
    truncate: (sizeBytes) => changed(() => file.truncate(sizeBytes)),
    read: async (position, into) => {
      const name = `${path} ${position} ${into.length}`;
      const first = known.get(name);
      if (first === undefined) {
        const filled = await file.read(position, into);
        known.set(name, into.slice(0, filled));
        return filled;
      }
      into.set(first);
      return first.length;
    },
  }));
  return {
    ...opened,
    rename: (from, to) => changed(() => files.rename(from, to)),
    remove: (path) => changed(() => files.remove(path)),
  };
}

function opening(files: Files, wrap: (path: string, file: OpenFile) => OpenFile): Files {
  return {
    readFile: (path) => files.readFile(path),
    list: (path) => files.list(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    flushDirectory: (path) => files.flushDirectory(path),
    lock: (path) => files.lock(path),
    open: async (path, options) => wrap(path, await files.open(path, options)),
  };
}

/** Deletes a little more than it was asked to. */
export class TrimsTooFar extends WrappedStore {
  override commit(writes: readonly LogWrite[]): Promise<void> {
    return super.commit(
      writes.map((write) =>
        write.type === 'trim' ? { ...write, beforeOffset: write.beforeOffset + 3 } : write,
      ),
    );
  }
}

/** One read in so many has a wrong byte in its records. */
export class ChangesBytes extends WrappedStore {
  #reads = 0;

  override async read(log: LogKey, range: ReadRange): Promise<Uint8Array> {
    const bytes = await super.read(log, range);
    if (range.isVerified || log.startsWith(METADATA_TOPIC_ID) || ++this.#reads % EVERY !== 0) return bytes;
    const changed = bytes.slice();
    const last = changed.length - 1;
    if (last >= 0) changed[last] = (changed[last] ?? 0) ^ 1;
    return changed;
  }
}
