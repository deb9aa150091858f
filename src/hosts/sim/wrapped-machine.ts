import type { Millis, Offset } from '../../model/ids.ts';
import {
  type Answer,
  type Ask,
  type Decision,
  type Machine,
  type MachineRecord,
  type MachineRequest,
  NOTHING,
  type TransactionEnd,
} from '../../model/machine.ts';

/** A coordinator as it is; whoever extends it changes one thing. */
export class WrappedMachine implements Machine {
  protected readonly inner: Machine;

  constructor(inner: Machine) {
    this.inner = inner;
  }

  decide(request: MachineRequest, nowMs: Millis): Decision {
    return this.inner.decide(request, nowMs);
  }
  answered(ask: Ask, answer: Answer, nowMs: Millis): Decision | 'again' {
    return this.inner.answered?.(ask, answer, nowMs) ?? NOTHING;
  }
  resume(nowMs: Millis): Decision {
    return this.inner.resume?.(nowMs) ?? NOTHING;
  }
  apply(record: MachineRecord, nowMs: Millis, offset?: Offset): void {
    this.inner.apply(record, nowMs, offset);
  }
  tick(nowMs: Millis): Decision {
    return this.inner.tick(nowMs);
  }
  get wakeAtMs(): Millis {
    return this.inner.wakeAtMs;
  }
  endTransaction(end: TransactionEnd, nowMs: Millis): void {
    this.inner.endTransaction?.(end, nowMs);
  }
  forget(link: number): void {
    this.inner.forget(link);
  }
  snapshot(): Iterable<MachineRecord> {
    return this.inner.snapshot();
  }
}
