import type { MilenaError } from '../../client/errors.ts';
import type { Producer } from '../../client/producer/producer.ts';
import type { ProducerRecord } from '../../client/producer/record.ts';
import { CliError, EXIT } from '../errors.ts';
import { formatBytes } from '../terminal/bytes.ts';
import type { Report } from '../terminal/report.ts';
import { Pace } from './pace.ts';

/** @throws Error when the line is no record; undefined for a line that is to be left out. */
export type ReadLine = (line: Uint8Array) => ProducerRecord | undefined;

export interface ProduceRunOptions {
  topic: string;
  report: Report;
  signal: AbortSignal;
  rate: number | undefined;
}

/** Writes lines, and says how far it came. */
export class ProduceRun {
  readonly #producer: Producer;
  readonly #options: ProduceRunOptions;
  readonly #pace: Pace | undefined;
  readonly #startedAtMs = performance.now();
  #records = 0;
  #bytes = 0;
  #line = 0;

  constructor(producer: Producer, options: ProduceRunOptions) {
    this.#producer = producer;
    this.#options = options;
    this.#pace = options.rate === undefined ? undefined : new Pace(options.rate);
  }

  async lines(chunks: AsyncIterable<readonly Uint8Array[]>, read: ReadLine): Promise<void> {
    const { report, signal } = this.#options;
    const progress = report.progress('produced');
    try {
      for await (const some of chunks) {
        const before = this.#records;
        await this.#write(some, read);
        progress.add(this.#records - before);
      }
      signal.throwIfAborted();
      await this.#producer.flush();
    } catch (error) {
      progress.end();
      throw await this.#stopped(error);
    }
    progress.end();
    this.#say();
  }

  async #write(lines: readonly Uint8Array[], read: ReadLine): Promise<void> {
    const { signal } = this.#options;
    for (const line of lines) {
      this.#line++;
      signal.throwIfAborted();
      const record = this.#read(line, read);
      if (record === undefined) continue;
      if (this.#pace !== undefined) await this.#pace.next(signal);
      await this.#put(record);
      this.#records++;
      this.#bytes += line.length;
    }
  }

  #read(line: Uint8Array, read: ReadLine): ProducerRecord | undefined {
    try {
      return read(line);
    } catch (error) {
      const notUtf8 = 'it is not UTF-8; --raw takes any bytes';
      throw this.#bad(error instanceof TypeError ? notUtf8 : (error as Error).message);
    }
  }

  async #put(record: ProducerRecord): Promise<void> {
    const { topic, signal } = this.#options;
    try {
      await this.#producer.write(topic, record, { signal });
    } catch (error) {
      const { code, message } = error as MilenaError;
      // These are about this record, which was not sent.
      if (code === 'RECORD_TOO_LARGE') throw this.#bad(message, LARGER);
      if (code === 'INVALID_ARGUMENT') throw this.#bad(message);
      throw error;
    }
  }

  #bad(why: string, hint?: string): BadLine {
    return new BadLine(`line ${this.#line}: ${why}`, hint);
  }

  /** What stands before a bad line is sound, and goes; what was on its way when a broker failed may have arrived. */
  async #stopped(error: unknown): Promise<unknown> {
    const { signal } = this.#options;
    const isTooLong = error instanceof RangeError;
    const bad = isTooLong ? new BadLine(`line ${this.#line + 1}: ${error.message}`, LARGER) : error;
    const isOurs = bad instanceof BadLine || signal.aborted;
    const failed = isOurs ? await this.#flushed() : error;
    const kept = `${this.#records} records ${bad instanceof BadLine ? 'before that ' : ''}are in the topic`;
    const maybe = `it was read up to line ${this.#line}: what was on its way may be in the topic or not`;
    const last = failed === undefined ? kept : maybe;
    if (signal.aborted) {
      const { exitCode, code, message } = CliError.from(signal.reason);
      return new CliError(exitCode, code, message, last);
    }
    if (failed === undefined && bad instanceof BadLine)
      return new CliError(EXIT.failure, 'BAD_INPUT', bad.message, linesOfText(bad.hint, last));
    const { exitCode, code, message, hint, next } = CliError.from(failed);
    return new CliError(exitCode, code, message, linesOfText(hint, last), next);
  }

  /** Why what was written is not acknowledged; who wants to leave does not wait for long. */
  async #flushed(): Promise<unknown> {
    const patience = this.#options.signal.aborted ? AbortSignal.timeout(FLUSH_TIMEOUT_MS) : undefined;
    return this.#producer.flush({ signal: patience }).catch((late: unknown) => late);
  }

  #say(): void {
    const { report, topic } = this.#options;
    const seconds = (performance.now() - this.#startedAtMs) / 1_000;
    const [records, bytes] = [this.#records, this.#bytes];
    if (report.json) return report.facts({ topic, records, bytes, seconds }, []);
    report.note(`produced ${records} records to ${topic}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`);
  }
}

/** A line is no record, or none that can be sent. */
class BadLine extends Error {
  override name = 'BadLine';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** After Ctrl-C. */
const FLUSH_TIMEOUT_MS = 3_000;
const LARGER = 'raise --max-bytes, and max.message.bytes of the topic, or write smaller records';

function linesOfText(...lines: (string | undefined)[]): string {
  return lines.filter((line) => line !== undefined).join('\n  ');
}
