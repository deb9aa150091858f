import type { LogKey, Offset } from '../model/ids.ts';
import type { LogWrite } from '../ports/log-store.ts';

const SUFFIX = '.snapshot';
/** The newest, and one before it in case the newest cannot be read. */
const KEPT = 2;
/** So much log may lie above the newest snapshot: what an open after a crash reads, about 100 ms. */
const DUE_AFTER_BYTES = 64 * 1024 * 1024;

/** Kafka's file name for producer state at `offset`. */
export function snapshotName(offset: Offset): string {
  return String(offset).padStart(20, '0') + SUFFIX;
}

/** Offset in a snapshot's name, undefined for any other name. */
export function snapshotOffset(name: string): Offset | undefined {
  const match = /^(\d{20})\.snapshot$/.exec(name);
  const offset = match ? Number(match[1]) : NaN;
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** Which producer snapshots lie beside a log: few, the newest ones. */
export class Snapshots {
  readonly #log: LogKey;
  readonly #dueAfterBytes: number;
  /** Ascending. */
  #offsets: Offset[];
  #bytesSince = 0;

  constructor(log: LogKey, offsets: readonly Offset[], dueAfterBytes = DUE_AFTER_BYTES) {
    this.#log = log;
    this.#dueAfterBytes = dueAfterBytes;
    this.#offsets = [...offsets].sort((a, b) => a - b);
  }

  /** Ascending. */
  get offsets(): readonly Offset[] {
    return this.#offsets;
  }

  get isDue(): boolean {
    return this.#bytesSince >= this.#dueAfterBytes;
  }

  appended(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /**
   * Puts a snapshot at `offset` unless it is there or there is nothing to tell, and drops the oldest ones.
   */
  take(offset: Offset, encode: () => Uint8Array): LogWrite[] {
    if (offset === (this.#offsets.at(-1) ?? 0)) return [];
    const log = this.#log;
    const dropped = this.#offsets.splice(0, this.#offsets.length + 1 - KEPT);
    this.#offsets.push(offset);
    this.#bytesSince = 0;
    return [
      { type: 'put', log, name: snapshotName(offset), value: encode() },
      ...dropped.map((old): LogWrite => ({ type: 'delete', log, name: snapshotName(old) })),
    ];
  }

  /** One that cannot be read. */
  drop(offset: Offset): LogWrite {
    this.#offsets = this.#offsets.filter((other) => other !== offset);
    return { type: 'delete', log: this.#log, name: snapshotName(offset) };
  }

  /** Snapshots of a state the log no longer reaches. */
  dropAbove(endOffset: Offset): LogWrite[] {
    const dropped = this.#offsets.filter((offset) => offset > endOffset);
    this.#offsets = this.#offsets.filter((offset) => offset <= endOffset);
    return dropped.map((offset) => ({ type: 'delete', log: this.#log, name: snapshotName(offset) }));
  }
}
