import type { Kernels } from '../kernels/kernels.ts';
import { concat } from '../model/bytes.ts';
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import { readAgain } from '../ports/read-again.ts';
import type { LogName, LogStore } from '../ports/log-store.ts';
import { type BatchSpec, type NewRecord, buildBatch } from '../records/builder.ts';
import { BatchFault } from '../kernels/kernels.ts';

/** Control batches around a snapshot: what Kafka's tools expect of a metadata checkpoint (KIP-630). */
export interface SnapshotFrame {
  header(nowMs: Millis): NewRecord;
  footer(nowMs: Millis): NewRecord;
}

const SUFFIX = '.checkpoint';
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;
const BATCH_RECORDS = 1_000;

/** Kafka's name of a snapshot: the offset it ends at (exclusive) and the epoch. */
export function snapshotName(endOffset: Offset, epoch: LeaderEpoch): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}${SUFFIX}`;
}

/** Those that follow one another and are of one transaction, or of none, are one batch. */
export function* runsOfProducers(
  records: Iterable<MachineRecord>,
  recordsMax = Infinity,
): Iterable<MachineRecord[]> {
  let run: MachineRecord[] = [];
  for (const record of records) {
    const isOther = run.length > 0 && record.producer?.producerId !== run[0]?.producer?.producerId;
    if (isOther || run.length === recordsMax) {
      yield run;
      run = [];
    }
    run.push(record);
  }
  if (run.length > 0) yield run;
}

/** A snapshot is a log of its own: record batches from offset 0, which replay reads like any others. */
export function encodeSnapshot(
  { kernels }: { kernels: Kernels },
  records: Iterable<MachineRecord>,
  { nowMs, frame }: { nowMs: Millis; frame: SnapshotFrame | undefined },
): Uint8Array {
  const batches: Uint8Array[] = [];
  let baseOffset = 0;
  const add = (batch: NewRecord[], kind: Partial<BatchSpec>) => {
    batches.push(buildBatch(kernels, { records: batch, baseOffset, ...kind }));
    baseOffset += batch.length;
  };
  if (frame !== undefined) add([frame.header(nowMs)], { isControl: true });
  for (const run of runsOfProducers(records, BATCH_RECORDS)) {
    const producer = run[0]?.producer;
    add(
      run.map(({ key, value }) => ({ key, value, timestamp: nowMs })),
      producer ? { ...producer, baseSequence: 0, isTransactional: true } : {},
    );
  }
  if (frame !== undefined) add([frame.footer(nowMs)], { isControl: true });
  return concat(batches);
}

/**
 * The newest snapshot at or below the log end whose batches are all whole; a damaged one is passed over. Those above
 * the end tell of records the log has lost: they go, lest they are believed once it has grown past them.
 */
export async function loadNewestSnapshot(
  { store, kernels, onWarning }: { store: LogStore; kernels: Kernels; onWarning: (message: string) => void },
  { log, topic, partition }: LogName,
  logEndOffset: Offset,
): Promise<{ name: string; endOffset: Offset; bytes: Uint8Array } | undefined> {
  const names = (await store.names(log)).filter((name) => NAME.test(name)).toSorted();
  const endOf = (name: string) => Number(NAME.exec(name)?.[1]);
  const outlived = names.filter((name) => endOf(name) > logEndOffset);
  if (outlived.length > 0) await store.commit(outlived.map((name) => ({ type: 'delete', log, name })));
  for (const name of names.toReversed()) {
    const endOffset = endOf(name);
    if (endOffset > logEndOffset) continue;
    const bytes = await readAgain(async () => {
      const read = await store.get(log, name);
      return read && isWhole(kernels, read) ? read : undefined;
    });
    if (bytes !== undefined) return { name, endOffset, bytes };
    onWarning(`${topic}-${partition}: ${name} is damaged: what it says is made anew from the log`);
  }
  return undefined;
}

function isWhole(kernels: Kernels, bytes: Uint8Array): boolean {
  return kernels.validateBatches(bytes).fault === BatchFault.none;
}
