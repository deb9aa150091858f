import { unreachable } from '../../src/model/assert.ts';
import type { AbortedTransaction } from '../../src/model/aborted.ts';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogName, LogWrite } from '../../src/ports/log-store.ts';
import { BatchHeader } from '../../src/records/header.ts';
import type { Replace } from './replacing.ts';

type Append = Extract<LogWrite, { type: 'append' }>;

export interface ModelBatch {
  baseOffset: number;
  lastOffset: number;
  timestamp: number;
  /** Of all it says but base offset and leader epoch: what tells a batch from another at the same place. */
  crc: number;
}

/** What a write does to a log that is there. */
export type LogChange = Exclude<LogWrite, { type: 'create' | 'drop' }> | Replace;

/** A log as simply as it can be said. */
export class ModelLog {
  readonly name: LogName;
  batches: readonly ModelBatch[] = [];
  start = 0;
  end = 0;
  values: ReadonlyMap<string, string> = new Map();
  /** In the order of their markers. */
  aborted: readonly AbortedTransaction[] = [];
  #image: string | undefined;

  constructor(name: LogName) {
    this.name = name;
  }

  /** The log after `change`; this one stays as it is. */
  after(change: LogChange): ModelLog {
    switch (change.type) {
      case 'append':
        return this.#with({ batches: [...this.batches, modelOf(change)], end: change.lastOffset + 1 });
      case 'replace': {
        const before = this.batches.filter(({ lastOffset }) => lastOffset < change.fromOffset);
        const behind = this.batches.filter(({ baseOffset }) => baseOffset >= change.toOffset);
        return this.#with({ batches: [...before, ...change.batches.map(modelOf), ...behind] });
      }
      case 'roll':
        return this;
      case 'truncate': {
        const batches = this.batches.filter(({ lastOffset }) => lastOffset < change.toOffset);
        const end = Math.max(this.start, (batches.at(-1)?.lastOffset ?? -1) + 1);
        const aborted = this.aborted.filter(({ lastOffset }) => lastOffset < end);
        return this.#with({ batches, end, aborted });
      }
      case 'trim': {
        const start = Math.max(this.start, change.beforeOffset);
        return this.#with({ start, end: Math.max(start, this.end) });
      }
      case 'put':
        return this.#with({ values: new Map(this.values).set(change.name, String(change.value)) });
      case 'delete':
        return this.#with({ values: new Map([...this.values].filter(([name]) => name !== change.name)) });
      case 'aborted': {
        const before = this.aborted.filter(({ lastOffset }) => lastOffset < change.fromOffset);
        return this.#with({ aborted: [...before, ...change.transactions] });
      }
      default:
        return unreachable(change);
    }
  }

  /** What a store that does `change` bit by bit may hold on the way: the end goes first, and so does the start. */
  during(change: LogChange): ModelLog[] {
    const ends = this.batches.map(({ lastOffset }) => lastOffset + 1);
    const after = this.after(change);
    if (change.type === 'truncate') {
      const cuts = ends.filter((end) => end > after.end && end < this.end).toReversed();
      return cuts.map((toOffset) => this.after({ ...change, toOffset }));
    }
    if (change.type === 'trim') {
      const starts = ends.filter((end) => end > this.start && end < after.start);
      return starts.map((beforeOffset) => this.after({ ...change, beforeOffset }));
    }
    if (change.type === 'aborted') {
      // One segment's after the other.
      return this.aborted.map(({ lastOffset: from }) => {
        const rest = this.aborted.filter(({ lastOffset }) => lastOffset >= from);
        return this.#with({
          aborted: [...after.aborted.filter(({ lastOffset }) => lastOffset < from), ...rest],
        });
      });
    }
    // What comes before a batch that is replaced may be replaced or not.
    if (change.type === 'replace')
      return this.batches.flatMap(({ lastOffset }) =>
        lastOffset < change.fromOffset || lastOffset >= change.toOffset
          ? []
          : this.after({
              ...change,
              toOffset: lastOffset + 1,
              batches: change.batches.filter((batch) => batch.lastOffset <= lastOffset),
            }),
      );
    return [];
  }

  /** Batches a reader from the log start on sees. */
  get visible(): readonly ModelBatch[] {
    return this.batches.filter(({ lastOffset }) => lastOffset >= this.start);
  }

  /** The same log with the aborted transactions that `other` knows of it. */
  knowing(other: ModelLog): ModelLog {
    return this.#with({ aborted: other.aborted.filter(({ lastOffset }) => lastOffset < this.end) });
  }

  /** All that can be seen of the log, as text. */
  get image(): string {
    const { start, end, values, visible: batches } = this;
    const aborted = this.aborted.filter(({ lastOffset }) => lastOffset >= start);
    return (this.#image ??= imageOf({ start, end, values, batches, aborted }));
  }

  #with(changed: Partial<Pick<ModelLog, 'batches' | 'start' | 'end' | 'values' | 'aborted'>>): ModelLog {
    return Object.assign(new ModelLog(this.name), this, changed);
  }
}

function modelOf({ baseOffset, lastOffset, maxTimestamp: timestamp, bytes }: Append): ModelBatch {
  return { baseOffset, lastOffset, timestamp, crc: new BatchHeader(bytes).crc };
}

/** What there is of a log as text: equal texts, equal logs. */
export function imageOf(log: Pick<ModelLog, 'start' | 'end' | 'batches' | 'values' | 'aborted'>): string {
  const batches = log.batches.map(({ baseOffset, lastOffset, crc }) => `${baseOffset}-${lastOffset}#${crc}`);
  const values = [...log.values].map(([name, value]) => `${name}=${value}`).sort();
  const aborted = log.aborted.map((transaction) => Object.values(transaction).join());
  return `${log.start}..${log.end} [${batches.join(' ')}] {${values.join(' ')}} <${aborted.join(' ')}>`;
}

/** The logs after `write`; the map given stays as it is. */
export function modelAfter(
  logs: ReadonlyMap<LogKey, ModelLog>,
  write: LogWrite | Replace,
): ReadonlyMap<LogKey, ModelLog> {
  const next = new Map(logs);
  if (write.type === 'drop') next.delete(write.log);
  else if (write.type === 'create') {
    const { type: _, ...name } = write;
    if (!next.has(write.log)) next.set(write.log, new ModelLog(name));
  } else {
    const log = next.get(write.log);
    if (!log) throw new Error(`a script writes to ${write.log}, which is not there`);
    next.set(write.log, log.after(write));
  }
  return next;
}
