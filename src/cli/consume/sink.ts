import type { ConsumerRecord } from '../../client/fetch/consumer-record.ts';
import type { Output } from '../terminal/output.ts';
import type { Format } from './format.ts';
import { LineBuffer } from './line-buffer.ts';
import type { Filter } from './where.ts';

/** Gathered before they are written, when more comes at once. */
const CHUNK_BYTES = 64 * 1024;

export interface SinkOptions {
  output: Output;
  format: Format;
  filter: Filter | undefined;
  /** It is done after so many. */
  countMax: number;
}

/** Where records go that are wanted: lines gathered on their way to stdout. */
export class Sink {
  readonly #options: SinkOptions;
  readonly #buffer = new LineBuffer();
  #printed = 0;

  constructor(options: SinkOptions) {
    this.#options = options;
  }

  get printed(): number {
    return this.#printed;
  }

  get isDone(): boolean {
    return this.#printed >= this.#options.countMax;
  }

  /** Enough has been gathered: flush. */
  get isFull(): boolean {
    return this.#buffer.length >= CHUNK_BYTES;
  }

  isWanted(record: ConsumerRecord): boolean {
    const { filter } = this.#options;
    return filter === undefined || filter(record);
  }

  add(record: ConsumerRecord): void {
    if (!this.isWanted(record)) return;
    this.#options.format(record, this.#buffer);
    this.#printed++;
  }

  /** What was formatted before. */
  addLine(line: Uint8Array): void {
    this.#buffer.bytes(line);
    this.#printed++;
  }

  /** Resolves when there is room for more. @throws ReaderGone */
  async flush(): Promise<void> {
    if (this.#buffer.length > 0) await this.#options.output.write(this.#buffer.take());
  }

  /** Resolves when all has left. @throws ReaderGone */
  async end(): Promise<void> {
    await this.flush();
    await this.#options.output.flush();
  }
}
