import type { LogKey } from '../../model/ids.ts';
import type { LogStore, LogWrite, ReadRange } from '../../ports/log-store.ts';

/** A store as it is; whoever extends it changes one thing. */
export class WrappedStore implements LogStore {
  protected readonly inner: LogStore;
  readonly logs: LogStore['logs'];
  readonly open: LogStore['open'];
  readonly segments: LogStore['segments'];
  readonly replace: LogStore['replace'];
  readonly sizeBytes: LogStore['sizeBytes'];
  readonly batchAt: LogStore['batchAt'];
  readonly aborted: LogStore['aborted'];
  readonly names: LogStore['names'];
  readonly close: LogStore['close'];

  constructor(inner: LogStore) {
    this.inner = inner;
    this.logs = () => inner.logs();
    this.open = (log) => inner.open(log);
    this.segments = (log) => inner.segments(log);
    this.replace = (log, range) => inner.replace(log, range);
    this.sizeBytes = (log) => inner.sizeBytes(log);
    this.batchAt = (log, timestamp, fromOffset) => inner.batchAt(log, timestamp, fromOffset);
    this.aborted = (log, range) => inner.aborted(log, range);
    this.names = (log) => inner.names(log);
    this.close = () => inner.close();
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    return this.inner.commit(writes);
  }
  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.inner.read(log, range);
  }
  get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.inner.get(log, name);
  }
}
