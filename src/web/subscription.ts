import type { Offset } from '../model/ids.ts';
import type { From } from './from.ts';
import type { Reader, ReaderOptions, Status } from './reader.ts';
import type { TopicRecord } from './topic-record.ts';

export interface SubscribeOptions {
  /** Where to start: `latest` unless the URL says something else. */
  from?: From;
  /** How it is, each time that changes. */
  onStatus?: (status: Status) => void;
  /** Stops it. */
  signal?: AbortSignal;
}

/** Called, it stops: nothing is handed over after that. Without a handler it is iterated; leaving the loop stops it. */
export interface Subscription extends AsyncIterable<TopicRecord>, Disposable {
  (): void;
  readonly status: Status;
  /** The next offset by partition, to be given as `from` another time; undefined as long as it is not known. */
  readonly position: Record<number, Offset> | undefined;
}

export type ReaderHandlers = Pick<ReaderOptions, 'from' | 'onRecord' | 'onStatus'>;

/** @param onRecord gets one record at a time, the next when its promise is settled; none for an iterator. */
export function startSubscription(
  start: (handlers: ReaderHandlers) => Reader,
  onRecord: ((record: TopicRecord) => unknown) | undefined,
  { from = 'latest', onStatus = () => {}, signal }: SubscribeOptions,
): Subscription {
  signal?.throwIfAborted();
  const handover = onRecord === undefined ? new Handover() : undefined;
  const reader = start({
    from,
    onRecord: onRecord ?? ((record) => handover?.offer(record)),
    onStatus(status) {
      if (status.state === 'stopped' || status.state === 'failed') {
        signal?.removeEventListener('abort', stop);
        handover?.end(signal?.aborted ? signal.reason : status.error);
      }
      onStatus(status);
    },
  });
  const stop = () => reader.stop();
  signal?.addEventListener('abort', stop);
  const iterate = () => {
    if (handover === undefined) throw new TypeError('its records go to its handler');
    return handover.records(stop);
  };
  return Object.defineProperties(stop, {
    status: { get: () => reader.status },
    position: { get: () => reader.position },
    [Symbol.asyncIterator]: { value: iterate },
    [Symbol.dispose]: { value: stop },
  }) as Subscription;
}

/** One record at a time from a reader to a loop: asking for the next one says that the last one is done. */
class Handover {
  #offered: { record: TopicRecord; done: () => void } | undefined;
  #over: { error: unknown } | undefined;
  #changed = () => {};

  offer(record: TopicRecord): Promise<void> {
    return new Promise((done) => {
      this.#offered = { record, done };
      this.#changed();
    });
  }

  /** @param error what the loop throws; undefined ends it. */
  end(error: unknown): void {
    this.#over = { error };
    this.#changed();
  }

  async *records(stop: () => void): AsyncGenerator<TopicRecord, void, undefined> {
    try {
      while (this.#over === undefined) {
        const offered = this.#offered;
        if (offered === undefined) {
          await new Promise<void>((changed) => (this.#changed = changed));
          continue;
        }
        this.#offered = undefined;
        yield offered.record;
        offered.done();
      }
      if (this.#over.error !== undefined) throw this.#over.error;
    } finally {
      stop();
    }
  }
}
