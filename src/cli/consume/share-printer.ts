import { abortable } from '../../client/retry.ts';
import type { ShareConsumer } from '../../client/share/share-consumer.ts';
import type { ShareRecord } from '../../client/share/share-record.ts';
import type { Sink } from './sink.ts';
import { settlesWithin } from './soon.ts';

/** How often it is looked whether anything is left to be done. */
const LOOK_MS = 250;

export interface SharePrinting {
  sink: Sink;
  /** Ends once nothing of its group is left to be done. */
  exits: boolean;
  isDone: () => Promise<boolean>;
}

/**
 * Prints what a member of a share group gets. A record is accepted once it has left for stdout: who reads there may see
 * one twice, after a crash, and misses none.
 */
export class SharePrinter {
  readonly #consumer: ShareConsumer;
  readonly #printing: SharePrinting;
  /** Gathered, and not accepted. */
  #open: ShareRecord[] = [];

  /** @param consumer accepts nothing by itself. */
  constructor(consumer: ShareConsumer, printing: SharePrinting) {
    this.#consumer = consumer;
    this.#printing = printing;
  }

  /** @throws ReaderGone; what the consumer does; what the signal says, when what was printed is accepted. */
  async print(signal: AbortSignal): Promise<void> {
    const { sink } = this.#printing;
    try {
      while (!sink.isDone) {
        const next = this.#consumer.next();
        if (!(await settlesWithin(next, 0)) && (await this.#isAtEnd(next, signal))) break;
        const { done, value } = await abortable(next, signal);
        if (done) break;
        sink.add(value);
        this.#open.push(value);
        if (sink.isFull) await this.#settle();
      }
    } finally {
      await this.#settle();
      await this.#consumer.close();
    }
    await sink.end();
  }

  /** Nothing has come yet: what was gathered goes out. */
  async #isAtEnd(next: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
    await this.#settle();
    while (this.#printing.exits && !(await abortable(settlesWithin(next, LOOK_MS), signal)))
      if (this.#consumer.status === 'running' && (await this.#printing.isDone())) return true;
    return false;
  }

  async #settle(): Promise<void> {
    await this.#printing.sink.flush();
    for (const record of this.#open) record.accept();
    this.#open = [];
  }
}
