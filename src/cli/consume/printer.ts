import { setImmediate, setTimeout } from 'node:timers/promises';
import type { ConsumerRecord, FetchedBatch } from '../../client/fetch/consumer-record.ts';
import type { Reader } from '../../client/read.ts';
import type { Output } from '../terminal/output.ts';
import type { Report } from '../terminal/report.ts';
import type { Format } from './format.ts';
import { LineBuffer } from './line-buffer.ts';
import { Tail } from './tail.ts';
import type { Filter } from './where.ts';

/** Gathered before they are written, when more comes at once. */
const CHUNK_BYTES = 64 * 1024;
/** How often it is looked whether the tail is whole, when nothing comes. */
const LOOK_MS = 20;

export interface PrinterOptions {
  report: Report;
  format: Format;
  filter: Filter | undefined;
  countMax: number;
  /** The newest of them first, and no others of what was there. */
  tail: number | undefined;
  signal: AbortSignal;
}

/** Prints what a reader reads, no faster than it is taken, and at once when nothing more has come. */
export class Printer {
  readonly #options: PrinterOptions;
  readonly #output: Output;
  readonly #buffer = new LineBuffer();
  #printed = 0;

  constructor(options: PrinterOptions) {
    this.#options = options;
    this.#output = options.report.output;
  }

  /** @throws ReaderGone; what the reader does */
  async print(reader: Reader): Promise<void> {
    const { report, countMax, tail } = this.#options;
    const progress = process.stdout.isTTY ? undefined : report.progress('consumed');
    const batches = new Batches(reader);
    try {
      if (tail !== undefined) await this.#printTail(new Tail(tail, this.#options.format), reader, batches);
      while (this.#printed < countMax) {
        const batch = await batches.take();
        if (batch === undefined) break;
        const before = this.#printed;
        await this.#add(batch);
        progress?.add(this.#printed - before);
        if (this.#printed < countMax && !(await batches.hasNextWithin(0))) await this.#flush();
      }
      await this.#flush();
      await this.#output.flush();
    } finally {
      progress?.end();
      reader.close();
    }
  }

  async #printTail(tail: Tail, reader: Reader, batches: Batches): Promise<void> {
    for (;;) {
      while (!(await batches.hasNextWithin(LOOK_MS))) if (tail.isWhole(reader)) return this.#printLines(tail);
      const batch = await batches.take();
      if (batch === undefined) return this.#printLines(tail);
      for (const record of batch) if (this.#isWanted(record)) tail.add(record);
    }
  }

  async #printLines(tail: Tail): Promise<void> {
    for (const line of tail.lines().slice(0, this.#options.countMax)) {
      this.#buffer.bytes(line);
      this.#printed++;
    }
    await this.#flush();
  }

  async #add(batch: FetchedBatch): Promise<void> {
    const { format, countMax, signal } = this.#options;
    for (const record of batch) {
      if (!this.#isWanted(record)) continue;
      format(record, this.#buffer);
      this.#printed++;
      if (this.#buffer.length >= CHUNK_BYTES) {
        await this.#flush();
        signal.throwIfAborted();
      }
      if (this.#printed === countMax) return;
    }
  }

  #isWanted(record: ConsumerRecord): boolean {
    const { filter } = this.#options;
    return filter === undefined || filter(record);
  }

  async #flush(): Promise<void> {
    if (this.#buffer.length > 0) await this.#output.write(this.#buffer.take());
  }
}

/** The batches of a reader; one is good until the next is taken, or waited for. */
class Batches {
  readonly #batches: ReturnType<Reader['batches']>;
  #next: Promise<IteratorResult<FetchedBatch, void>> | undefined;

  constructor(reader: Reader) {
    this.#batches = reader.batches();
  }

  /** Undefined when there will be none. */
  async take(): Promise<FetchedBatch | undefined> {
    const next = this.#next ?? this.#batches.next();
    this.#next = undefined;
    return (await next).value ?? undefined;
  }

  /** Whether `take` would not wait, or not for longer; at 0 no longer than to the next turn of the event loop. */
  hasNextWithin(waitMs: number): Promise<boolean> {
    const next = (this.#next ??= this.#batches.next());
    const come = next.then(
      () => true,
      () => true,
    );
    return Promise.race([come, waitMs === 0 ? setImmediate(false) : setTimeout(waitMs, false)]);
  }
}
