import type { ConsumedRecord } from '../../client/consumer/consumed-record.ts';
import type { Consumer } from '../../client/consumer/consumer.ts';
import { abortable } from '../../client/retry.ts';
import type { Sink } from './sink.ts';
import { settlesWithin } from './soon.ts';

/** How often positions are committed while records come. */
const COMMIT_INTERVAL_MS = 1_000;
/** How often it is looked whether the end is reached. */
const LOOK_MS = 250;

/**
 * Prints what a member of a group gets. A position is committed once its records have left for stdout: who reads there
 * may see one twice, after a crash, and misses none.
 */
export class GroupPrinter {
  readonly #consumer: Consumer;
  readonly #sink: Sink;
  readonly #exits: boolean;
  #last: ConsumedRecord | undefined;
  #committedAtMs = performance.now();

  /** @param exits at the end, as it is when nothing comes. */
  constructor(consumer: Consumer, { sink, exits }: { sink: Sink; exits: boolean }) {
    this.#consumer = consumer;
    this.#sink = sink;
    this.#exits = exits;
  }

  /** @throws ReaderGone; what the consumer does; what the signal says, when what was printed is committed. */
  async print(signal: AbortSignal): Promise<void> {
    try {
      while (!this.#sink.isDone) {
        const next = this.#consumer.next();
        if (!(await settlesWithin(next, 0)) && (await this.#isAtEnd(next, signal))) break;
        const { done, value } = await abortable(next, signal);
        if (done) break;
        this.#last = value;
        this.#sink.add(value);
        if (this.#sink.isFull) await this.#settle();
      }
    } finally {
      await this.#settle({ isLast: true });
      // As leaving a loop: nothing is worked on any more, and nothing is waited for.
      await this.#consumer.return();
    }
    await this.#sink.end();
  }

  /** Nothing has come yet: what was gathered goes out. */
  async #isAtEnd(next: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
    await this.#settle({ isLast: true });
    while (this.#exits && !(await abortable(settlesWithin(next, LOOK_MS), signal))) {
      if (this.#consumer.status !== 'running') continue;
      const lags = await this.#consumer.lag({ signal });
      if (lags.every(({ lag }) => lag === 0)) return true;
    }
    return false;
  }

  /** @param isLast the last record too is done with. */
  async #settle({ isLast = false } = {}): Promise<void> {
    await this.#sink.flush();
    if (isLast) this.#last?.ack();
    const nowMs = performance.now();
    if (!isLast && nowMs - this.#committedAtMs < COMMIT_INTERVAL_MS) return;
    this.#committedAtMs = nowMs;
    await this.#consumer.commit();
  }
}
