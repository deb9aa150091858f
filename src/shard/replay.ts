import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';
import type { MachineRecord, TransactionEnd } from '../model/machine.ts';
import { type BatchRecords, records } from '../records/batch.ts';
import type { Codecs } from '../records/codecs.ts';
import { ControlType, controlType } from '../records/control.ts';
import { BatchHeader, HEADER_SIZE } from '../records/header.ts';

/** Who hears what a machine's log says, in order. */
export interface Replayed {
  batch: (batch: BatchRecords) => void;
  /** A marker, and the offset after it. */
  end: (end: TransactionEnd, nextOffset: Offset) => void;
}

/**
 * Tells of every batch of records in `bytes` (whole batches), and of every end of a transaction; other control batches
 * are passed over.
 * @returns the offset after the last batch.
 */
export async function replay(
  { kernels, codecs }: { kernels: Kernels; codecs: Codecs },
  bytes: Uint8Array,
  told: Replayed,
): Promise<Offset> {
  const header = new BatchHeader(bytes);
  let nextOffset = 0;
  for (let at = 0; at + HEADER_SIZE <= bytes.length; at += header.seek(at).sizeBytes) {
    header.seek(at);
    nextOffset = header.lastOffset + 1;
    if (header.isControl && !header.isTransactional) continue;
    const found = records(header.bytes, kernels, codecs);
    const batch = found instanceof Promise ? await found : found;
    if (header.isControl) tellEnd(batch, told);
    else told.batch(batch);
  }
  return nextOffset;
}

function tellEnd(batch: BatchRecords, told: Replayed): void {
  const type = controlType(batch.at(0).key);
  if (type !== ControlType.commit && type !== ControlType.abort) return;
  const { producerId, lastOffset } = batch.header;
  told.end({ producerId, committed: type === ControlType.commit }, lastOffset + 1);
}

/** Records of a transaction say whose it is; they are few, and made one by one. */
export function* recordsOf(batch: BatchRecords): Iterable<MachineRecord> {
  const { producerId, producerEpoch } = batch.header;
  const producer = { producerId, producerEpoch };
  for (const { key, value } of batch) yield { key, value, producer };
}
