import type { FetchedBatch } from '../../client/fetch/consumer-record.ts';
import type { Reader } from '../../client/read.ts';
import type { Report } from '../terminal/report.ts';
import type { Sink } from './sink.ts';
import { settlesWithin } from './soon.ts';
import type { Tail } from './tail.ts';

/** How often it is looked whether the tail is whole, when nothing comes. */
const LOOK_MS = 20;

/** Prints what a reader reads, no faster than it is taken, and at once when nothing more has come. */
export class Printer {
  readonly #sink: Sink;
  readonly #report: Report;
  readonly #signal: AbortSignal;

  constructor({ sink, report, signal }: { sink: Sink; report: Report; signal: AbortSignal }) {
    this.#sink = sink;
    this.#report = report;
    this.#signal = signal;
  }

  /** @param tail of what is there, and nothing else of it. @throws ReaderGone; what the reader does */
  async print(reader: Reader, tail?: Tail): Promise<void> {
    const sink = this.#sink;
    const progress = process.stdout.isTTY ? undefined : this.#report.progress('consumed');
    const batches = new Batches(reader);
    try {
      if (tail !== undefined) await this.#printTail(tail, reader, batches);
      while (!sink.isDone) {
        const batch = await batches.take();
        if (batch === undefined) break;
        const before = sink.printed;
        await this.#add(batch);
        progress?.add(sink.printed - before);
        if (!sink.isDone && !(await batches.hasNextWithin(0))) await sink.flush();
      }
      await sink.end();
    } finally {
      progress?.end();
      reader.close();
    }
  }

  async #printTail(tail: Tail, reader: Reader, batches: Batches): Promise<void> {
    for (let isWhole = false; !isWhole;) {
      if (await batches.hasNextWithin(LOOK_MS)) {
        const batch = await batches.take();
        for (const record of batch ?? []) if (this.#sink.isWanted(record)) tail.add(record);
        isWhole = batch === undefined;
      } else isWhole = tail.isWhole(reader);
    }
    for (const line of tail.lines()) if (!this.#sink.isDone) this.#sink.addLine(line);
    await this.#sink.flush();
  }

  async #add(batch: FetchedBatch): Promise<void> {
    const sink = this.#sink;
    for (const record of batch) {
      sink.add(record);
      if (sink.isFull) {
        await sink.flush();
        this.#signal.throwIfAborted();
      }
      if (sink.isDone) return;
    }
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

  /** Whether `take` would not wait for longer. */
  hasNextWithin(waitMs: number): Promise<boolean> {
    this.#next ??= this.#batches.next();
    return settlesWithin(this.#next, waitMs);
  }
}
