import type { Millis, Offset } from '../../model/ids.ts';
import type { MaybePromise } from '../../records/codecs.ts';
import type { ProducerStamp } from '../../records/header.ts';
import { sequenceAfter } from '../../records/sequences.ts';

/** What a broker said of a batch that it has. */
export interface Stored {
  /** -1 when it does not say. */
  baseOffset: Offset;
  /** -1 when the records keep their own times. */
  logAppendTimeMs: Millis;
}

/** Records on their way to one partition, and who wants to know. */
export interface BatchContent {
  readonly recordsCount: number;
  readonly sizeBytes: number;
  /** The batch as it is sent. @param stamp of an idempotent producer. */
  seal(stamp: ProducerStamp | undefined): MaybePromise<Uint8Array>;
  stored(stored: Stored): void;
  failed(error: Error): void;
  /** The same records in two; undefined when they cannot be parted. */
  split(): [BatchContent, BatchContent] | undefined;
}

/**
 * `open`: takes records. `waiting`: is sent as it is, maybe again. `sending`: without an answer. `over`: its records
 * know what became of them.
 */
type BatchState = 'open' | 'waiting' | 'sending' | 'over';

/** Whoever watches is told what became of a batch, once, before its records are. */
export type BatchTold = (batch: Batch, stored: Stored | undefined, error: Error | undefined) => void;

/** One batch from its first record to its acknowledgement. */
export class Batch {
  readonly content: BatchContent;
  readonly told: BatchTold | undefined;
  readonly createdAtMs: Millis;
  readonly deadlineMs: Millis;
  state: BatchState = 'open';
  /** How often it was sent. */
  attempts = 0;
  /** Set when it is first sent, and kept: a broker knows it by this. */
  stamp: ProducerStamp | undefined;
  bytes: Uint8Array | undefined;
  /** Its records were told that time is up, while a broker had it. */
  isExpired = false;
  /** Was refused for its number once, and numbered anew. */
  isRenumbered = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(
    content: BatchContent,
    times: { createdAtMs: Millis; deadlineMs: Millis; told?: BatchTold | undefined },
  ) {
    this.content = content;
    this.told = times.told;
    this.createdAtMs = times.createdAtMs;
    this.deadlineMs = times.deadlineMs;
  }

  /** Resolves once its records know what became of them. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  stored(stored: Stored): void {
    if (!this.isExpired) {
      this.told?.(this, stored, undefined);
      this.content.stored(stored);
    }
    this.#end();
  }

  failed(error: Error): void {
    if (!this.isExpired) this.#fail(error);
    this.#end();
  }

  /** Time is up while a broker has it: it keeps its place, and its number, until that is answered. */
  expire(error: Error): void {
    if (this.isExpired) return;
    this.isExpired = true;
    this.#fail(error);
    this.#over.resolve();
  }

  /** As two, which are sent in its place under its numbers; undefined when it cannot be parted. */
  split(): [Batch, Batch] | undefined {
    const halves = this.content.split()?.map((content) => new Batch(content, this));
    const [first, second] = halves ?? [];
    if (first === undefined || second === undefined) return undefined;
    for (const half of [first, second]) {
      half.state = 'waiting';
      half.attempts = this.attempts;
    }
    const { stamp } = this;
    if (stamp !== undefined) {
      first.stamp = stamp;
      const baseSequence = sequenceAfter(stamp.baseSequence, first.content.recordsCount);
      second.stamp = { ...stamp, baseSequence };
    }
    this.state = 'over';
    void Promise.all([first.over, second.over]).then(() => this.#over.resolve());
    return [first, second];
  }

  /** It is known to be nowhere, and gets a new number when it is sent again. */
  renumber(): void {
    this.stamp = undefined;
    this.bytes = undefined;
  }

  #fail(error: Error): void {
    this.told?.(this, undefined, error);
    this.content.failed(error);
  }

  #end(): void {
    this.state = 'over';
    this.#over.resolve();
  }
}
