import type { KeyedRecord } from './flights.ts';

/** A record as a consumer was given it. */
export interface Delivered {
  partition: number;
  offset: number;
  key: string;
  sequence: number;
  value: string;
}

export interface Findings {
  /** Places in the log that consumers have seen. */
  logged: number;
  /** Sent and nowhere in the log. */
  lost: number;
  /** In the log at more than one place. */
  duplicated: number;
  /** At a higher offset than a later one of its key, or in another partition. */
  outOfOrder: number;
  /** Nobody sent it so, or one place in the log showed two records. */
  wrong: number;
  /** Offsets below the log end that nobody was given. */
  gaps: number;
  /** Given to consumers again: the crash came before the commit. At-least-once allows it. */
  redelivered: number;
}

/** Holds what was sent against what consumers were given: exactly, record by record. */
export class Ledger {
  readonly #sent = new Map<string, string[]>();
  readonly #sentCount: number;
  /** By partition, at its offset. */
  readonly #log: (Delivered | undefined)[][] = [];
  readonly #counts = { logged: 0, redelivered: 0, wrong: 0 };

  constructor(sent: readonly KeyedRecord[]) {
    this.#sentCount = sent.length;
    for (const { key, value } of sent) {
      const values = this.#sent.get(key);
      if (values === undefined) this.#sent.set(key, [value]);
      else values.push(value);
    }
  }

  /** Different places seen so far. */
  get logged(): number {
    return this.#counts.logged;
  }

  deliver(record: Delivered): void {
    const places = (this.#log[record.partition] ??= []);
    const before = places[record.offset];
    if (before === undefined) {
      places[record.offset] = record;
      this.#counts.logged++;
      if (this.#sent.get(record.key)?.[record.sequence] !== record.value) this.#counts.wrong++;
      return;
    }
    this.#counts.redelivered++;
    if (before.key !== record.key || before.sequence !== record.sequence) this.#counts.wrong++;
  }

  /** @param logEnds where each partition ends, as the broker says. */
  findings(logEnds: readonly number[]): Findings {
    let duplicated = 0;
    let outOfOrder = 0;
    let gaps = 0;
    const seen = new Map<string, { partition: number; sequences: Set<number>; last: number }>();
    for (const [partition, end] of logEnds.entries()) {
      for (let offset = 0; offset < end; offset++) {
        const record = this.#log[partition]?.[offset];
        if (record === undefined) {
          gaps++;
          continue;
        }
        let key = seen.get(record.key);
        if (key === undefined) seen.set(record.key, (key = { partition, sequences: new Set(), last: -1 }));
        if (key.sequences.has(record.sequence)) duplicated++;
        else if (record.sequence < key.last || key.partition !== partition) outOfOrder++;
        key.sequences.add(record.sequence);
        key.last = Math.max(key.last, record.sequence);
      }
    }
    let found = 0;
    for (const { sequences } of seen.values()) found += sequences.size;
    return { ...this.#counts, lost: this.#sentCount - found, duplicated, outOfOrder, gaps };
  }
}
