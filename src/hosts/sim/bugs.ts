import type { Kernels } from '../../kernels/kernels.ts';
import { encodeSnapshot } from '../../log/producer-snapshot.ts';
import { ProducerStates } from '../../log/producers.ts';
import { snapshotOffset } from '../../log/snapshots.ts';
import {
  CONSUMER_OFFSETS_TOPIC,
  type LogKey,
  METADATA_TOPIC_ID,
  type Millis,
  type Offset,
} from '../../model/ids.ts';
import type { Decision, Machine, MachineRecord, MachineRequest } from '../../model/machine.ts';
import type { Files, OpenFile } from '../../ports/files.ts';
import type { LogStore, LogWrite, ReadRange } from '../../ports/log-store.ts';
import { BatchHeader, forEachBatch } from '../../records/header.ts';
import { concat } from '../../model/bytes.ts';
import { Broken, type Invariant } from './broken.ts';
import { SESSION_TIMEOUT_MS } from './group-ledger.ts';
import type { Seams } from './node.ts';

type Append = Extract<LogWrite, { type: 'append' }>;

/** A store as it is; each bug changes one thing of it. */
class WrappedStore implements LogStore {
  protected readonly inner: LogStore;
  readonly logs: LogStore['logs'];
  readonly open: LogStore['open'];
  readonly segments: LogStore['segments'];
  readonly replace: LogStore['replace'];
  readonly sizeBytes: LogStore['sizeBytes'];
  readonly batchAt: LogStore['batchAt'];
  readonly aborted: LogStore['aborted'];
  readonly names: LogStore['names'];
  readonly close: LogStore['close'];

  constructor(inner: LogStore) {
    this.inner = inner;
    this.logs = () => inner.logs();
    this.open = (log) => inner.open(log);
    this.segments = (log) => inner.segments(log);
    this.replace = (log, range) => inner.replace(log, range);
    this.sizeBytes = (log) => inner.sizeBytes(log);
    this.batchAt = (log, timestamp, fromOffset) => inner.batchAt(log, timestamp, fromOffset);
    this.aborted = (log, range) => inner.aborted(log, range);
    this.names = (log) => inner.names(log);
    this.close = () => inner.close();
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    return this.inner.commit(writes);
  }
  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.inner.read(log, range);
  }
  get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.inner.get(log, name);
  }
}

type Replace = LogStore['replace'];

/** Compaction that loses some batches on their way. */
class LosesReplaced extends WrappedStore {
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
/** So much before its time a session ends. */
const EARLY_MS = SESSION_TIMEOUT_MS - 600;

/** One append in so many never reaches the store. */
class Drops extends WrappedStore {
  #appends = 0;

  override commit(writes: readonly LogWrite[]): Promise<void> {
    const isKept = (write: LogWrite) =>
      write.type !== 'append' || !isOfTopic(write) || ++this.#appends % EVERY !== 0;
    return super.commit(writes.filter(isKept));
  }
}

/** One append in so many takes the place of the one before it. */
class Reuses extends WrappedStore {
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
class AnswersEarly extends WrappedStore {
  override commit(writes: readonly LogWrite[]): Promise<void> {
    super.commit(writes).catch(() => undefined);
    return Promise.resolve();
  }
}

/** Finds every producer snapshot empty. */
class ForgetsProducers extends WrappedStore {
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
class ServesUncommitted extends WrappedStore {
  override read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return super.read(log, range.isVerified ? range : { ...range, endOffset: Infinity });
  }
}

/** Index files end one entry early for a process that opens them. */
function shortIndexes(files: Files): Files {
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
function believesFirstReads(files: Files): Files {
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

/** Takes sessions for over that are not. */
class ExpiresEarly implements Machine {
  readonly #inner: Machine;

  constructor(inner: Machine) {
    this.#inner = inner;
  }

  tick(nowMs: Millis): Decision {
    return this.#inner.tick(nowMs + EARLY_MS);
  }
  get wakeAtMs(): Millis {
    return this.#inner.wakeAtMs - EARLY_MS;
  }

  decide(request: MachineRequest, nowMs: Millis): Decision {
    return this.#inner.decide(request, nowMs);
  }
  apply(record: MachineRecord, nowMs: Millis): void {
    this.#inner.apply(record, nowMs);
  }
  forget(link: number): void {
    this.#inner.forget(link);
  }
  snapshot(): Iterable<MachineRecord> {
    return this.#inner.snapshot();
  }
}

/** Makes records true for all who ask before they are in the log. */
function appliesEarly(machine: Machine, onCommitted: (records: Iterable<MachineRecord>) => void): Machine {
  const decide = machine.decide.bind(machine);
  machine.decide = (request, nowMs) => {
    const decision = decide(request, nowMs);
    if (decision.records.length > 0) onCommitted(decision.records);
    return decision;
  };
  return machine;
}

/** A fault of the broker's own, and what it breaks: another failure is not how it is caught. */
export interface Bug {
  /** Made anew for a seed. */
  seams: () => Seams;
  breaks: readonly Invariant[];
}

/** Bugs to be found: what the simulator would not notice, it does not guard. */
export const BUGS: Readonly<Record<string, Bug>> = {
  'drop-record': {
    seams: () => ({ store: (store) => new Drops(store) }),
    // In the middle of a log it is skipped, at its end it is gone.
    breaks: ['I1', 'I5', 'I13'],
  },
  'reuse-offset': {
    seams: () => ({ store: (store) => new Reuses(store) }),
    // The offset has two batches, or the batch two offsets: the one it was answered with and this one.
    breaks: ['I2', 'I3', 'I13'],
  },
  'answer-before-commit': {
    seams: () => ({ store: (store) => new AnswersEarly(store) }),
    breaks: ['I1', 'I13'],
  },
  'forget-producers': {
    seams: () => ({ store: (store, kernels) => new ForgetsProducers(store, kernels) }),
    // The next batch, one that is sent again, or else the last restart tells.
    breaks: ['I3', 'I9', 'I15'],
  },
  'apply-before-append': {
    seams: () => ({
      spec: (spec) => {
        const { machine, onCommitted } = spec;
        if (machine === undefined || onCommitted === undefined) return spec;
        // The second time, when they are committed, changes nothing.
        return { ...spec, machine: (epoch) => appliesEarly(machine(epoch), onCommitted) };
      },
    }),
    breaks: ['I1'],
  },
  'lose-index-tail': {
    seams: () => ({ files: shortIndexes }),
    // By offset what an index lacks is read; by time the largest one of a segment is believed.
    breaks: ['I15'],
  },
  'believe-first-read': {
    seams: () => ({ files: believesFirstReads }),
    // A log ends too early, goes on elsewhere, or leads a reader past what it holds.
    breaks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I13', 'I15', 'I18'],
  },
  'expire-live-member': {
    seams: () => ({
      spec: (spec) => {
        const { machine, name } = spec;
        if (machine === undefined || name.topic !== CONSUMER_OFFSETS_TOPIC) return spec;
        return { ...spec, machine: (epoch) => new ExpiresEarly(machine(epoch)) };
      },
    }),
    breaks: ['I11'],
  },
  'drop-last-batch-of-producer': {
    seams: () => ({ store: (store) => new LosesReplaced(store, ({ recordsCount }) => recordsCount === 0) }),
    breaks: ['I3'],
  },
  'tombstone-too-early': {
    // Whatever has a horizon has tombstones: values beside them go with them.
    seams: () => ({
      store: (store) => new LosesReplaced(store, ({ deleteHorizonMs }) => deleteHorizonMs !== undefined),
    }),
    breaks: ['I13'],
  },
  'serve-past-high-watermark': {
    seams: () => ({ store: (store) => new ServesUncommitted(store) }),
    breaks: ['I4'],
  },
};

/** Whether `failure` is what that bug leads to. */
export function isCaught({ breaks }: Bug, failure: Error | undefined): boolean {
  return failure instanceof Broken && breaks.includes(failure.invariant);
}
