import type { PartitionLog } from '../log/partition-log.ts';
import { invariant } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import type { Address, Ask, Decision, Machine, MachineRecord, TransactionEnd } from '../model/machine.ts';
import type { LogWrite } from '../ports/log-store.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import type { BatchRecords } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { forEachBatch } from '../records/header.ts';
import { recordsOf, replay } from './replay.ts';
import type { Shard } from './shard.ts';
import { encodeSnapshot, loadNewestSnapshot, runsOfProducers, snapshotName } from './snapshots.ts';

/**
 * As much log as the newest snapshot is large lies above it, within these bounds: a wake replays little (ARCHITECTURE,
 * decision 12), and what is written of snapshots is no more than the log.
 */
const SNAPSHOT_EVERY_BYTES = { min: 1024 * 1024, max: 4 * 1024 * 1024 };
/** A home that could sleep must not stay awake for an alarm that nobody needs any more. */
const FAR_TOO_EARLY_MS = 30_000;

/**
 * A state machine mounted on a shard's log: runs what it decides. Its records are appended as one batch and applied
 * at once, so the next request sees them; its replies wait until all that was appended is committed.
 */
export class Coordinator {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  readonly machine: Machine;
  /** Applied and not yet committed, for `onCommitted`. */
  #uncommitted: { endOffset: Offset; records: readonly MachineRecord[] }[] = [];
  /** Requests without a reply yet, by correlation id: the machine may have parked them. */
  readonly #unanswered = new Map<number, Address>();
  /** To be asked once all below `offset` is committed, in that order. */
  #waitingAsks: { offset: Offset; ask: Ask }[] = [];
  /** Calls off what is being asked. */
  readonly #asking = new Map<Ask, () => void>();
  /** What the machine does as soon as it is the leader's. */
  #boot: Decision | undefined;
  #bytesSinceSnapshot = 0;
  #snapshot: string | undefined;
  #snapshotBytes = 0;
  #alarmAtMs = Infinity;
  #cancelAlarm: (() => void) | undefined;

  constructor(shard: Shard, log: PartitionLog, machine: Machine) {
    this.#shard = shard;
    this.#log = log;
    this.machine = machine;
  }

  /**
   * Rebuilds the machine: newest snapshot, then the log above it. Nothing is written, so that a log which cannot be
   * served stays as it was.
   */
  async load(): Promise<void> {
    const { parts, spec } = this.#shard;
    const nowMs = parts.clock.now();
    const apply = (batch: BatchRecords, offset?: Offset) => {
      if (batch.header.isTransactional) {
        for (const record of recordsOf(batch)) this.machine.apply(record, nowMs, offset);
      } else {
        for (const record = batch.cursor(); record.next();) this.machine.apply(record, nowMs, offset);
      }
    };
    const end = (transaction: TransactionEnd) => this.machine.endTransaction?.(transaction, nowMs);
    this.#shard.toldEnd = Math.min(this.#shard.toldEnd, this.#log.logEndOffset);
    const snapshot = await loadNewestSnapshot(parts, spec.name, this.#log.logEndOffset);
    const snapshotEnd = snapshot?.endOffset ?? 0;
    if (snapshot !== undefined) {
      this.#snapshot = snapshot.name;
      this.#snapshotBytes = snapshot.bytes.length;
      const isNews = this.#shard.toldEnd === 0;
      const batch = (read: BatchRecords) => {
        apply(read);
        if (isNews) spec.onCommitted?.(read);
      };
      await replay(parts, snapshot.bytes, { batch, end });
      if (isNews) this.#shard.toldEnd = snapshotEnd;
    }
    // What the snapshot has and nobody was told of is read for that alone.
    const firstOffset = Math.min(snapshotEnd, this.#shard.toldEnd);
    let fromOffset = Math.max(firstOffset, this.#log.logStartOffset);
    this.#checkGap(firstOffset, fromOffset);
    const endOffset = this.#log.logEndOffset;
    while (fromOffset < endOffset) {
      const range = { fromOffset, endOffset, maxBytes: 1024 * 1024, isVerified: true };
      const bytes = await this.#log.read(range);
      invariant(bytes !== undefined && bytes.length > 0, 'a log has batches up to its end');
      this.#bytesSinceSnapshot += bytes.length;
      let nextOffset = fromOffset;
      forEachBatch(bytes, ({ baseOffset, lastOffset }) => {
        this.#checkGap(nextOffset, baseOffset);
        nextOffset = lastOffset + 1;
      });
      fromOffset = await replay(parts, bytes, {
        batch: (batch) => {
          const { baseOffset, lastOffset } = batch.header;
          if (baseOffset >= snapshotEnd) apply(batch, baseOffset);
          this.#tell(lastOffset + 1, batch);
        },
        end: (transaction, nextOffset) => {
          if (nextOffset > snapshotEnd) end(transaction);
        },
      });
    }
    this.#boot = spec.boot?.(this.machine);
    this.#arm();
  }

  /** What is missing was damaged, and taken out with a warning when the log was opened. */
  #checkGap(expected: Offset, found: Offset): void {
    if (found > expected && this.#shard.spec.isDense)
      throw new Error(`its records from offset ${expected} to ${found - 1} are missing`);
  }

  /** First thing after `load`: the new leader makes itself known, then the machine does what it must. */
  boot(): void {
    const { reign, name } = this.#shard.spec;
    if (reign !== undefined) {
      const { controlRecords, values } = reign(this.#shard.leaderEpoch);
      if (values.length > 0)
        this.#shard.commit(values.map((value) => ({ type: 'put', log: name.log, ...value })));
      for (const record of controlRecords) this.#appendBatch([record], true);
    }
    if (this.#boot !== undefined) this.#run(this.#boot);
    const resumed = this.machine.resume?.(this.#shard.parts.clock.now());
    if (resumed !== undefined) this.#run(resumed);
  }

  handle(request: ShardRequest): void {
    this.#unanswered.set(request.from.correlationId, request.from);
    this.#run(this.machine.decide(request, this.#shard.parts.clock.now()));
  }

  /** @returns whether it was parked by itself; else its whole link may be forgotten. */
  cancel(from: Address): boolean {
    if (this.machine.cancel?.(from, this.#shard.parts.clock.now()) !== true) return false;
    this.#unanswered.delete(from.correlationId);
    this.#arm();
    return true;
  }

  forget(link: number): void {
    this.machine.forget(link);
    for (const { link: from, correlationId } of this.#unanswered.values()) {
      if (from === link) this.#unanswered.delete(correlationId);
    }
  }

  /** Takes all whom the machine has not answered: those it parked. */
  drain(): Address[] {
    const waiting = [...this.#unanswered.values()];
    this.#unanswered.clear();
    return waiting;
  }

  /** Runs what the machine wants done, whoever made it decide. */
  #run({ records, replies, asks }: Decision): void {
    if (records.length > 0) this.#append(records);
    for (const reply of replies) {
      if (!reply.parked) this.#unanswered.delete(reply.to.correlationId);
      this.#shard.replyAfter(this.#log.logEndOffset, reply);
    }
    this.#arm();
    if (asks === undefined) return;
    const offset = this.#log.logEndOffset;
    for (const ask of asks) this.#waitingAsks.push({ offset, ask });
    this.#sendAsks(this.#log.highWatermark);
  }

  #sendAsks(highWatermark: Offset): void {
    // An answer may come at once, and be followed by more asks.
    for (let next = this.#waitingAsks[0]; next !== undefined; next = this.#waitingAsks[0]) {
      if (next.offset > highWatermark) return;
      this.#waitingAsks.shift();
      this.#send(next.ask);
    }
  }

  #send(ask: Ask): void {
    let isTaken = false;
    const { asks, clock } = this.#shard.parts;
    const callOff = asks.ask(ask, (answer) => {
      const decision = this.machine.answered?.(ask, answer, clock.now());
      if (decision === 'again') return false;
      isTaken = true;
      this.#asking.delete(ask);
      if (decision !== undefined) this.#run(decision);
      return true;
    });
    if (!isTaken) this.#asking.set(ask, callOff);
  }

  #append(records: readonly MachineRecord[]): void {
    const baseOffset = this.#log.logEndOffset;
    let endOffset = baseOffset;
    for (const run of runsOfProducers(records)) endOffset = this.#appendBatch(run, false);
    const nowMs = this.#shard.parts.clock.now();
    for (const record of records) this.machine.apply(record, nowMs, baseOffset);
    this.#uncommitted.push({ endOffset, records });
    const snapshot = this.#snapshotWrites();
    if (snapshot.length > 0) this.#shard.commit(snapshot);
  }

  /** A marker was appended. */
  ended(end: TransactionEnd): void {
    this.machine.endTransaction?.(end, this.#shard.parts.clock.now());
    this.#arm();
  }

  /** @returns the log end after it. */
  #appendBatch(records: readonly MachineRecord[], isControl: boolean): Offset {
    const { kernels, clock } = this.#shard.parts;
    const timestamp = clock.now();
    const producer = records[0]?.producer;
    const bytes = buildBatch(kernels, {
      records: records.map(({ key, value }) => ({ key, value, timestamp })),
      isControl,
      ...(producer && { ...producer, baseSequence: 0, isTransactional: true }),
    });
    const { leaderEpoch } = this.#shard;
    const result = this.#log.append(bytes, { leaderEpoch, origin: 'coordinator', nowMs: timestamp });
    invariant(result.type === 'appended', 'a log takes the batches of its coordinator');
    this.#bytesSinceSnapshot += bytes.length;
    this.#shard.commit(result.writes);
    return result.lastOffset + 1;
  }

  /** The high watermark has moved to `highWatermark`. */
  committed(highWatermark: Offset): void {
    let done = 0;
    for (const { endOffset, records } of this.#uncommitted) {
      if (endOffset > highWatermark) break;
      this.#tell(endOffset, records);
      done++;
    }
    this.#uncommitted.splice(0, done);
    this.#sendAsks(highWatermark);
  }

  /** Once, however often the log is loaded: old records would lead back in time whoever follows them. */
  #tell(endOffset: Offset, records: Iterable<MachineRecord>): void {
    if (endOffset <= this.#shard.toldEnd) return;
    this.#shard.spec.onCommitted?.(records);
    this.#shard.toldEnd = endOffset;
  }

  /** Committed after the records it covers: no crash leaves it without them. */
  #snapshotWrites(): LogWrite[] {
    const { parts, spec, leaderEpoch } = this.#shard;
    const { min, max } = SNAPSHOT_EVERY_BYTES;
    const everyBytes = spec.snapshotEveryBytes ?? Math.min(Math.max(this.#snapshotBytes, min), max);
    if (this.#bytesSinceSnapshot < everyBytes) return [];
    const { log } = spec.name;
    const name = snapshotName(this.#log.logEndOffset, leaderEpoch);
    const value = encodeSnapshot(parts, this.machine.snapshot(), {
      nowMs: parts.clock.now(),
      frame: spec.snapshotFrame,
    });
    const writes: LogWrite[] = [{ type: 'put', log, name, value }];
    if (this.#snapshot !== undefined) writes.push({ type: 'delete', log, name: this.#snapshot });
    this.#snapshot = name;
    this.#snapshotBytes = value.length;
    this.#bytesSinceSnapshot = 0;
    // What opens the log reads as far back, for its producers.
    return [...writes, ...this.#log.snapshotWrites()];
  }

  /** Keeps one alarm, never later than the machine wants; an early one just looks again, unless it is far too early. */
  #arm(): void {
    const { clock } = this.#shard.parts;
    const wakeAtMs = this.machine.wakeAtMs;
    if (this.#alarmAtMs === -Infinity || wakeAtMs === this.#alarmAtMs) return;
    if (wakeAtMs > this.#alarmAtMs && wakeAtMs - this.#alarmAtMs < FAR_TOO_EARLY_MS) return;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    this.#alarmAtMs = wakeAtMs;
    if (wakeAtMs === Infinity) return;
    this.#cancelAlarm = clock.at(wakeAtMs, () => {
      this.#alarmAtMs = Infinity;
      this.#cancelAlarm = undefined;
      const nowMs = clock.now();
      if (this.machine.wakeAtMs > nowMs) return this.#arm();
      this.#prune();
      this.#run(this.machine.tick(nowMs));
    });
  }

  /** Only while all is committed that says again what goes. */
  #prune(): void {
    const { prunableBefore = -1 } = this.machine;
    if (prunableBefore <= this.#log.logStartOffset || this.#log.highWatermark < this.#log.logEndOffset)
      return;
    const trimmed = this.#log.trimTo(prunableBefore);
    if (Array.isArray(trimmed) && trimmed.length > 0) this.#shard.commit(trimmed);
  }

  stop(): void {
    for (const callOff of this.#asking.values()) callOff();
    this.#asking.clear();
    this.#waitingAsks = [];
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    this.#alarmAtMs = -Infinity;
  }
}
