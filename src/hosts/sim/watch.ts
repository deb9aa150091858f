import type { PartitionLog } from '../../log/partition-log.ts';
import type { Offset } from '../../model/ids.ts';
import { dataShard } from '../../ports/shard-link.ts';
import { holds } from './broken.ts';
import type { Excuse, Ledger, LogLedger } from './ledger.ts';
import type { Node } from './node.ts';

interface Seen {
  log: PartitionLog;
  start: Offset;
  highWatermark: Offset;
  end: Offset;
}

/** Looks at the logs of a node from inside, after every event: I4, and what a log that was opened has kept (I1). */
export class Watch {
  readonly #ledger: Ledger;
  /** Why a log may have lost something since it was opened last. */
  readonly #excuseFor: (log: LogLedger) => Excuse;
  readonly #now: () => number;
  readonly #seen = new Map<LogLedger, Seen>();
  logsOpened = 0;

  constructor(ledger: Ledger, excuseFor: (log: LogLedger) => Excuse, now: () => number) {
    this.#ledger = ledger;
    this.#excuseFor = excuseFor;
    this.#now = now;
  }

  look(node: Node): void {
    for (const topic of this.#ledger.topics()) {
      for (const ledger of topic.logs) {
        const log = node.openShard(dataShard(ledger.log))?.log;
        if (log !== undefined) this.#lookAt(ledger, log);
      }
    }
  }

  #lookAt(ledger: LogLedger, log: PartitionLog): void {
    let seen = this.#seen.get(ledger);
    const { logStartOffset: start, highWatermark, logEndOffset: end } = log;
    if (seen?.log !== log) {
      // What has been appended meanwhile is not committed: that takes the disk, and so an event.
      ledger.recovered(highWatermark, this.#excuseFor(ledger), this.#now());
      this.logsOpened++;
      seen = { log, start, highWatermark, end };
      this.#seen.set(ledger, seen);
      holds(start >= ledger.trimmed.least && start <= ledger.trimmed.most, 'I14', () => {
        return `${ledger.title} was opened and starts at ${start}, trims: ${JSON.stringify(ledger.trimmed)}`;
      });
    }
    if (seen.end === end && seen.highWatermark === highWatermark && seen.start === start) return;
    const isOrdered = start <= highWatermark && highWatermark <= end;
    const isForward = start >= seen.start && highWatermark >= seen.highWatermark && end >= seen.end;
    holds(isOrdered && isForward, 'I4', () => {
      const before = `${seen.start} <= ${seen.highWatermark} <= ${seen.end}`;
      return `${ledger.title} has ${start} <= ${highWatermark} <= ${end}, after ${before}`;
    });
    Object.assign(seen, { start, highWatermark, end });
  }
}
