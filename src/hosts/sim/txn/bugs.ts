import type { LogKey, Millis, Offset } from '../../../model/ids.ts';
import { METADATA_TOPIC_ID, TRANSACTION_STATE_TOPIC } from '../../../model/ids.ts';
import {
  type Answer,
  type Ask,
  type Decision,
  type Machine,
  type MachineRecord,
  type MachineRequest,
  NOTHING,
} from '../../../model/machine.ts';
import type { LogStore, LogWrite, ReadRange } from '../../../ports/log-store.ts';
import { decodeRecord } from '../../../txn/records.ts';
import { type EndTxnRequest, endTxnApi } from '../../../wire/apis/26-end-txn.ts';
import { writeTxnMarkersApi } from '../../../wire/apis/27-write-txn-markers.ts';
import type { Bug } from '../bugs.ts';
import type { Seams } from '../node.ts';
import { WrappedMachine } from '../wrapped-machine.ts';
import { WrappedStore } from '../wrapped-store.ts';

const EVERY = 5;

/** One aborted transaction in so many readers are not told of. */
class LeaksAborted extends WrappedStore {
  override readonly aborted: LogStore['aborted'];

  constructor(inner: LogStore) {
    super(inner);
    this.aborted = (log, range) =>
      inner.aborted(log, range).filter(({ lastOffset }) => lastOffset % EVERY !== 0);
  }
}

/** Readers of committed records get all that is committed by the log, transactions that are open too. */
class ServesUnstable extends WrappedStore {
  readonly #ends = new Map<LogKey, Offset>();

  override async commit(writes: readonly LogWrite[]): Promise<void> {
    await super.commit(writes);
    for (const write of writes) if (write.type === 'append') this.#ends.set(write.log, write.lastOffset + 1);
  }

  override read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const endOffset = Math.max(range.endOffset, this.#ends.get(log) ?? 0);
    const isClients = !range.isVerified && !log.startsWith(METADATA_TOPIC_ID);
    return super.read(log, isClients ? { ...range, endOffset } : range);
  }
}

/** Whoever ends a transaction is taken for its producer, whatever epoch it has. */
class SkipsFence extends WrappedMachine {
  readonly #epochs = new Map<string, number>();

  override apply(record: MachineRecord, nowMs: Millis): void {
    const decoded = decodeRecord(record);
    if (decoded?.transaction) this.#epochs.set(decoded.transactionalId, decoded.transaction.producerEpoch);
    super.apply(record, nowMs);
  }

  override decide(request: MachineRequest, nowMs: Millis): Decision {
    if (request.apiKey !== endTxnApi.key) return super.decide(request, nowMs);
    const body = request.body as EndTxnRequest;
    const producerEpoch = this.#epochs.get(body.transactionalId) ?? body.producerEpoch;
    return super.decide({ ...request, body: { ...body, producerEpoch } }, nowMs);
  }
}

/** Asks for markers first, and writes down afterwards what was decided. */
class MarksFirst extends WrappedMachine {
  #later: Decision | undefined;
  #laterAtMs: Millis = Infinity;

  override get wakeAtMs(): Millis {
    return Math.min(this.inner.wakeAtMs, this.#laterAtMs);
  }

  override decide(request: MachineRequest, nowMs: Millis): Decision {
    return this.#hurried(super.decide(request, nowMs), nowMs);
  }

  override tick(nowMs: Millis): Decision {
    const isDue = nowMs >= this.inner.wakeAtMs;
    return this.#hurried(isDue ? super.tick(nowMs) : NOTHING, nowMs, true);
  }

  override answered(ask: Ask, answer: Answer, nowMs: Millis): Decision | 'again' {
    const decision = super.answered(ask, answer, nowMs);
    return decision === 'again' ? decision : this.#hurried(decision, nowMs);
  }

  /** What waits comes with the next decision, or with the next tick. */
  #hurried(decision: Decision, nowMs: Millis, isTick = false): Decision {
    const waits = this.#later;
    const marks = (decision.asks ?? []).some(({ apiKey }) => apiKey === writeTxnMarkersApi.key);
    if (marks && !isTick && waits === undefined) {
      for (const record of decision.records) this.inner.apply(record, nowMs);
      this.#later = { records: decision.records, replies: decision.replies };
      this.#laterAtMs = nowMs;
      return { records: [], replies: [], asks: decision.asks ?? [] };
    }
    this.#later = undefined;
    this.#laterAtMs = Infinity;
    if (waits === undefined) return decision;
    return {
      records: [...waits.records, ...decision.records],
      replies: [...waits.replies, ...decision.replies],
      asks: decision.asks ?? [],
    };
  }
}

function coordinators(wrap: (machine: Machine) => Machine): () => Seams {
  return () => ({
    spec: (spec) => {
      const { machine, name } = spec;
      if (machine === undefined || name.topic !== TRANSACTION_STATE_TOPIC) return spec;
      return { ...spec, machine: (epoch) => wrap(machine(epoch)) };
    },
  });
}

/** Those of transactions: see `BUGS`. */
export const TXN_BUGS: Readonly<Record<string, Bug>> = {
  'leak-aborted-batch': {
    seams: () => ({ store: (store) => new LeaksAborted(store) }),
    breaks: ['I6'],
    cast: 'transactions',
  },
  'serve-past-lso': {
    seams: () => ({ store: (store) => new ServesUnstable(store) }),
    breaks: ['I6'],
    cast: 'transactions',
  },
  'skip-a-fence': {
    seams: coordinators((machine) => new SkipsFence(machine)),
    breaks: ['I8'],
    cast: 'transactions',
  },
  'marker-before-prepare': {
    seams: coordinators((machine) => new MarksFirst(machine)),
    breaks: ['I7'],
    cast: 'transactions',
  },
};
