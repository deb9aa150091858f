import { Seldom } from '../../model/seldom.ts';
import type { AbortedTransaction } from '../../model/aborted.ts';
import type { LogKey, Millis, Offset } from '../../model/ids.ts';
import type { Log } from '../../ports/log.ts';
import type {
  LogExtent,
  LogName,
  LogStore,
  LogWrite,
  ReadRange,
  ReplacedRange,
  Replacement,
  Segment,
} from '../../ports/log-store.ts';

/** A commit that takes longer is worth a line. */
const SLOW_COMMIT_MS = 1_000;
const SLOW_COMMIT_EVERY_MS = 10_000;

/** A store whose recoveries and slow commits are told; else the store itself, call by call. */
export class WatchedStore implements LogStore {
  readonly #store: LogStore;
  readonly #log: Log;
  readonly #wasClean: boolean;
  readonly #seldom = new Seldom(SLOW_COMMIT_EVERY_MS);
  #names: Map<LogKey, LogName> | undefined;
  #round: Promise<void> | undefined;

  /** @param wasClean whether all logs were closed cleanly: else opening one recovers it. */
  constructor(store: LogStore, { log, wasClean }: { log: Log; wasClean: boolean }) {
    this.#store = store;
    this.#log = log;
    this.#wasClean = wasClean;
    if (!wasClean) this.#names = new Map(store.logs().map((name) => [name.log, name]));
  }

  logs(): readonly LogName[] {
    return this.#store.logs();
  }

  async open(log: LogKey): Promise<LogExtent> {
    const startedAtMs = performance.now();
    const extent = await this.#store.open(log);
    const name = this.#names?.get(log);
    if (this.#wasClean || name === undefined) return extent;
    this.#names?.delete(log);
    this.#log.info('log recovered', {
      component: 'store',
      topic: name.topic,
      partition: name.partition,
      offset: extent.logEndOffset,
      logStartOffset: extent.logStartOffset,
      durationMs: elapsedMs(startedAtMs),
    });
    return extent;
  }

  /** The promise is the store's own: callers of one round know each other by it. */
  commit(writes: readonly LogWrite[]): Promise<void> {
    const round = this.#store.commit(writes);
    if (round !== this.#round) {
      this.#round = round;
      const startedAtMs = performance.now();
      // Whoever asked for the round hears of its failure.
      void round.catch(() => {}).then(() => this.#committed(elapsedMs(startedAtMs)));
    }
    return round;
  }

  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.#store.read(log, range);
  }

  replace(log: LogKey, range: ReplacedRange): Replacement {
    return this.#store.replace(log, range);
  }

  segments(log: LogKey): readonly Segment[] {
    return this.#store.segments(log);
  }

  sizeBytes(log: LogKey): Promise<number> {
    return this.#store.sizeBytes(log);
  }

  batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#store.batchAt(log, timestamp, fromOffset);
  }

  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    return this.#store.aborted(log, range);
  }

  get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#store.get(log, name);
  }

  names(log: LogKey): Promise<readonly string[]> {
    return this.#store.names(log);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #committed(durationMs: Millis): void {
    if (durationMs < SLOW_COMMIT_MS) return;
    const keptBack = this.#seldom.admit('commit', performance.now());
    if (keptBack === undefined) return;
    this.#log.warn('slow commit: the disk is behind', { component: 'store', durationMs, keptBack });
  }
}

function elapsedMs(startedAtMs: Millis): Millis {
  return Math.round(performance.now() - startedAtMs);
}
