import type { LogStore } from '../../src/ports/log-store.ts';

/** A store as one sees it from outside its object: the gate holds an answer back until the writes are `confirmed`. */
export function gated(store: LogStore, confirmed: () => Promise<void>): LogStore {
  return {
    logs: () => store.logs(),
    open: (log) => store.open(log),
    commit: (writes) => store.commit(writes).then(confirmed),
    read: (log, range) => store.read(log, range),
    replace(log, range) {
      const replacement = store.replace(log, range);
      return {
        write: (batches, nextOffset) => replacement.write(batches, nextOffset),
        finish: async () => {
          const isDone = await replacement.finish();
          await confirmed();
          return isDone;
        },
        abandon: () => replacement.abandon(),
      };
    },
    segments: (log) => store.segments(log),
    sizeBytes: (log) => store.sizeBytes(log),
    batchAt: (log, timestamp, fromOffset) => store.batchAt(log, timestamp, fromOffset),
    aborted: (log, range) => store.aborted(log, range),
    get: (log, name) => store.get(log, name),
    names: (log) => store.names(log),
    close: () => store.close().then(confirmed),
  };
}
