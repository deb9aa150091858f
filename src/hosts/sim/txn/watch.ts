import type { LogStore, LogWrite } from '../../../ports/log-store.ts';
import { type LogKey, type Offset, logKey } from '../../../model/ids.ts';
import type { MachineRecord } from '../../../model/machine.ts';
import type { Kernels } from '../../../kernels/kernels.ts';
import { dataShard } from '../../../ports/shard-link.ts';
import { records } from '../../../records/batch.ts';
import { ControlType, controlType } from '../../../records/control.ts';
import { BatchHeader } from '../../../records/header.ts';
import { decodeRecord } from '../../../txn/records.ts';
import { isPrepared } from '../../../txn/transaction.ts';
import { holds } from '../broken.ts';
import type { Node } from '../node.ts';
import { WrappedStore } from '../wrapped-store.ts';
import type { TxnLog } from './ledger.ts';

/** Looks at the logs of transactions from inside, after every event: what is stable never becomes unstable (I4). */
export class StableWatch {
  readonly #logs: readonly TxnLog[];
  readonly #stable = new Map<TxnLog, Offset>();

  constructor(logs: readonly TxnLog[]) {
    this.#logs = logs;
  }

  look(node: Node): void {
    for (const known of this.#logs) {
      const key = keyOf(node, known);
      const log = key === undefined ? undefined : node.openShard(dataShard(key))?.log;
      if (log === undefined) continue;
      const { logStartOffset, lastStableOffset, highWatermark, logEndOffset } = log;
      const before = this.#stable.get(known) ?? 0;
      holds(
        logStartOffset <= lastStableOffset &&
          lastStableOffset <= highWatermark &&
          highWatermark <= logEndOffset,
        'I4',
        () =>
          `${known.title} has ${logStartOffset} <= ${lastStableOffset} <= ${highWatermark} <= ${logEndOffset}`,
      );
      holds(lastStableOffset >= before, 'I4', () => {
        return `${known.title} was stable up to ${before}, and is up to ${lastStableOffset}`;
      });
      this.#stable.set(known, lastStableOffset);
    }
  }
}

/** Undefined before the topic is made. */
export function keyOf(node: Node, { topic, partition }: TxnLog): LogKey | undefined {
  const id = node.core.image.topic(topic)?.id;
  return id === undefined ? undefined : logKey(id, partition);
}

/** No marker is written before its transaction's end is decided, in the log of its coordinator (I7). */
export class Decisions {
  readonly #decided = new Set<string>();
  #tooEarly: string | undefined;

  /** To be called after every event: what a shard does must not fail for being looked at. */
  look(): void {
    const marker = this.#tooEarly;
    holds(marker === undefined, 'I7', () => `a marker is written before its end is decided: ${marker}`);
  }

  /** Records of a coordinator are committed. */
  committed(told: Iterable<MachineRecord>): void {
    for (const record of told) {
      const transaction = decodeRecord(record)?.transaction;
      if (!transaction || !isPrepared(transaction)) continue;
      const { producerId, producerEpoch, state } = transaction;
      this.#decided.add(nameOf({ producerId, producerEpoch, isCommit: state === 'PrepareCommit' }));
    }
  }

  /** A store that is looked at as it is written to. */
  watch(store: LogStore, kernels: Kernels): LogStore {
    return new WatchedStore(store, (bytes) => this.#written(bytes, kernels));
  }

  #written(bytes: Uint8Array, kernels: Kernels): void {
    const { producerId, producerEpoch, isControl, isTransactional } = new BatchHeader(bytes);
    if (!isControl || !isTransactional) return;
    const read = records(bytes, kernels, new Map());
    if (read instanceof Promise) return;
    const isCommit = controlType(read.at(0).key) === ControlType.commit;
    const end = nameOf({ producerId, producerEpoch, isCommit });
    if (!this.#decided.has(end)) this.#tooEarly ??= end;
  }
}

function nameOf({
  producerId,
  producerEpoch,
  isCommit,
}: {
  producerId: number;
  producerEpoch: number;
  isCommit: boolean;
}) {
  return `${isCommit ? 'commit' : 'abort'} of ${producerId}/${producerEpoch}`;
}

class WatchedStore extends WrappedStore {
  readonly #look: (batch: Uint8Array) => void;

  constructor(inner: LogStore, look: (batch: Uint8Array) => void) {
    super(inner);
    this.#look = look;
  }

  override commit(writes: readonly LogWrite[]): Promise<void> {
    for (const write of writes) if (write.type === 'append') this.#look(write.bytes);
    return super.commit(writes);
  }
}
