import type { Offset } from '../../../model/ids.ts';
import type { Anomalies } from './anomaly.ts';
import type { History, Operation, Send } from './history.ts';

/** A value of a key, who wrote it and who read it. */
export interface Version {
  key: string;
  value: string;
  writer: Operation | undefined;
  send: Send | undefined;
  /** All it was told or found at. */
  offsets: Set<Offset>;
  readers: Set<Operation>;
}

/** The values of one key, in the order of the log. */
export class Versions {
  readonly byValue = new Map<string, Version>();
  readonly valueAt = new Map<Offset, string>();
  /** Of values that count: read, or surely written. Ascending. */
  #visible: Offset[] | undefined;
  /** The highest offset anyone read. */
  highestRead: Offset = -1;
  readonly #isVisible: (version: Version) => boolean;
  readonly #deletedBelow: Offset;

  constructor(isVisible: (version: Version) => boolean, deletedBelow: Offset) {
    this.#isVisible = isVisible;
    this.#deletedBelow = deletedBelow;
  }

  /** Whether it may be gone by rule. */
  isDeleted({ offsets }: Version): boolean {
    for (const offset of offsets) if (offset < this.#deletedBelow) return true;
    return false;
  }

  /** Those whose place is known. */
  get visible(): readonly Offset[] {
    if (this.#visible !== undefined) return this.#visible;
    const offsets = new Set<Offset>();
    for (const version of this.byValue.values())
      if (this.#isVisible(version)) for (const offset of version.offsets) offsets.add(offset);
    return (this.#visible = [...offsets].sort((a, b) => a - b));
  }

  /** The first value that counts behind `after` and before `before`, and has to be there. */
  between(after: Offset, before: Offset): Offset | undefined {
    const from = Math.max(after, this.#deletedBelow - 1);
    const { visible } = this;
    let low = 0;
    let high = visible.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((visible[middle] ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    const found = visible[low];
    return found !== undefined && found < before ? found : undefined;
  }
}

/** What a history says of each key's log. */
export class VersionOrder {
  readonly keys = new Map<string, Versions>();
  /** Operations some of whose sends were read: they are done, whatever their clients know. */
  readonly #read = new Set<Operation>();
  readonly #history: History;

  constructor(history: History, anomalies: Anomalies) {
    this.#history = history;
    for (const operation of history.operations) {
      for (const step of operation.steps) if (step.type === 'send') this.#sent(operation, step, anomalies);
    }
    for (const operation of history.operations) {
      for (const step of operation.steps) {
        if (step.type !== 'poll') continue;
        for (const { offset, value } of step.records)
          this.#polled(operation, step.key, { offset, value }, anomalies);
      }
    }
  }

  /** @returns whether all it sent is in the logs: it was told so, or a part of its transaction was read. */
  isDone(operation: Operation): boolean {
    return operation.outcome === 'ok' || (operation.isTransaction === true && this.#read.has(operation));
  }

  versions(key: string): Versions {
    let versions = this.keys.get(key);
    if (versions === undefined) {
      const isVisible = ({ writer, readers }: Version) =>
        readers.size > 0 || (writer !== undefined && this.isDone(writer));
      versions = new Versions(isVisible, this.#history.deletedBelow?.get(key) ?? 0);
      this.keys.set(key, versions);
    }
    return versions;
  }

  *all(): Iterable<Version> {
    for (const { byValue } of this.keys.values()) yield* byValue.values();
  }

  #sent(writer: Operation, send: Send, anomalies: Anomalies): void {
    const { key, value, offset } = send;
    const versions = this.versions(key);
    versions.byValue.set(value, { key, value, writer, send, offsets: new Set(), readers: new Set() });
    if (offset !== undefined) this.#place(key, { offset, value }, anomalies);
  }

  #polled(
    reader: Operation,
    key: string,
    record: { offset: Offset; value: string },
    anomalies: Anomalies,
  ): void {
    const versions = this.versions(key);
    const { offset, value } = record;
    let version = versions.byValue.get(value);
    if (version === undefined) {
      anomalies.add('never-sent', () => `${reader.process} read ${value} at ${key}@${offset}`);
      version = { key, value, writer: undefined, send: undefined, offsets: new Set(), readers: new Set() };
      versions.byValue.set(value, version);
    }
    version.readers.add(reader);
    if (version.writer !== undefined) this.#read.add(version.writer);
    versions.highestRead = Math.max(versions.highestRead, offset);
    this.#place(key, record, anomalies);
  }

  #place(key: string, { offset, value }: { offset: Offset; value: string }, anomalies: Anomalies): void {
    const { byValue, valueAt } = this.versions(key);
    const known = valueAt.get(offset);
    if (known === undefined) valueAt.set(offset, value);
    else if (known !== value)
      anomalies.add('inconsistent-offsets', () => `${key}@${offset} is ${known}, and ${value}`);
    const version = byValue.get(value);
    if (version === undefined || version.offsets.has(offset)) return;
    version.offsets.add(offset);
    if (version.offsets.size < 2 || version.send?.mayRepeat === true) return;
    anomalies.add('duplicate', () => `${key} has ${value} at ${[...version.offsets].join(' and ')}`);
  }
}
