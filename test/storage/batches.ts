import { TwinKernels } from '../../src/kernels/twin.ts';
import type { LogKey } from '../../src/model/ids.ts';
import { logKey } from '../../src/model/ids.ts';
import type { LogName, LogWrite } from '../../src/ports/log-store.ts';
import { BatchHeader, forEachBatch } from '../../src/records/header.ts';

export const kernels = new TwinKernels();

export interface BatchOptions {
  log: LogKey;
  baseOffset: number;
  records?: number;
  timestamp?: number;
  valueBytes?: number;
}

/** The append of a true batch; every record's value is filled with its offset, so that contents differ. */
export function append(options: BatchOptions): Extract<LogWrite, { type: 'append' }> {
  const { log, baseOffset, records = 1, timestamp = 1000, valueBytes = 10 } = options;
  const header = {
    baseOffset,
    partitionLeaderEpoch: 0,
    attributes: 0,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  };
  const bytes = kernels.encodeBatch(
    header,
    Array.from({ length: records }, (_, offsetDelta) => ({
      timestampDelta: 0,
      offsetDelta,
      key: null,
      value: new Uint8Array(valueBytes).fill(baseOffset + offsetDelta),
      headers: [],
    })),
  );
  const lastOffset = baseOffset + records - 1;
  return { type: 'append', log, baseOffset, lastOffset, maxTimestamp: timestamp, epoch: 0, bytes };
}

/** Appends of one record each, from offset `from` up to `to`. */
export function appends(log: LogKey, from: number, to: number, valueBytes = 10): LogWrite[] {
  return Array.from({ length: to - from }, (_, number) =>
    append({ log, baseOffset: from + number, valueBytes }),
  );
}

export function logName(number: number, topic = `topic${number}`): LogName {
  const topicId = `topic-id-${String(number).padStart(12, '0')}A`;
  return { log: logKey(topicId, 0), topic, topicId, partition: 0 };
}

/** First and last offset of each batch. */
export function offsetsOf(bytes: Uint8Array): [number, number][] {
  const offsets: [number, number][] = [];
  forEachBatch(bytes, ({ baseOffset, lastOffset }) => offsets.push([baseOffset, lastOffset]));
  return offsets;
}

/** Every batch's checksum holds, and nothing but batches is there. */
export function isTrue(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    const size = new BatchHeader(bytes, at).sizeBytes;
    if (kernels.validateBatch(bytes.subarray(at, at + size)) !== 0) return false;
    at += size;
  }
  return true;
}
