import { ErrorCode } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import { BrokerError, MilenaError, mayRetry } from '../errors.ts';
import { awakeSince, backoffMs } from '../retry.ts';
import { titleOf } from '../topic-partition.ts';
import type { EngineParts } from '../client-parts.ts';
import type { Isolation } from './lookups.ts';
import { endOf, type FetchPartition } from './partition.ts';

export interface PatienceOptions {
  parts: Pick<EngineParts, 'clock' | 'random' | 'retryForMs'>;
  isolation: Isolation;
  /** It is the end of all. */
  stop: (error: Error) => void;
  /** It is tried again. */
  retried: (at: FetchPartition, error: Error) => void;
}

/** How long what fails of a partition is tried again: later each time, and not for ever. */
export class Patience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Tried again later, unless that cannot help or has been done for long enough. */
  fail(at: FetchPartition, error: Error, sinceMs?: Millis): void {
    const { parts, stop, retried } = this.#options;
    const { clock, random, retryForMs } = parts;
    const nowMs = clock.now();
    at.failingSinceMs ??= nowMs;
    const triedSinceMs = awakeSince(clock, sinceMs ?? at.failingSinceMs);
    if (!mayRetry(error) || nowMs - triedSinceMs >= retryForMs) return stop(error);
    at.notBeforeMs = nowMs + backoffMs(at.failures++, random);
    retried(at, error);
  }

  /** What came cannot be read. That it came is no success, so the time counts until something can be. */
  failBad(at: FetchPartition, error: Error): void {
    at.badSinceMs ??= this.#options.parts.clock.now();
    this.fail(at, error, at.badSinceMs);
  }

  /**
   * An answer came that had room for records and has none: a broker that says there are some is not waited for forever.
   * @throws MilenaError NO_PROGRESS
   */
  gotNothing(at: FetchPartition): void {
    const { clock, retryForMs } = this.#options.parts;
    const endOffset = endOf(at, this.#options.isolation);
    if (endOffset <= at.fetchOffset) {
      at.stuckSinceMs = undefined;
      return;
    }
    at.stuckSinceMs ??= clock.now();
    if (clock.now() - at.stuckSinceMs < retryForMs) return;
    const message = `${titleOf(at)}: it ends at ${endOffset}, and nothing comes from ${at.fetchOffset} on`;
    const hint = 'is the log damaged? read from an offset behind it';
    throw new MilenaError(message, { code: 'NO_PROGRESS', hint });
  }
}

/** What a broker says it cannot do now. */
export function refusalOf(errorCode: number, at: FetchPartition): MilenaError {
  const isPassing =
    errorCode === ErrorCode.OFFSET_OUT_OF_RANGE || errorCode === ErrorCode.UNKNOWN_SERVER_ERROR;
  const error = new BrokerError(errorCode, titleOf(at));
  return isPassing
    ? new MilenaError(error.message, { code: error.code, retriable: true, cause: error })
    : error;
}
