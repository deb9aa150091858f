import type { Kernels } from '../../kernels/kernels.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import { type BatchRecords, records } from '../../records/batch.ts';
import { andThen, CODEC } from '../../records/codecs.ts';
import type { Codecs, MaybePromise } from '../../records/codecs.ts';
import { controlType } from '../../records/control.ts';
import type { BatchHeader } from '../../records/header.ts';
import { emptyBatch, retainRecords } from '../../records/retain.ts';
import type { ProducerStates } from '../producers.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import type { KeyOffsets } from './key-offsets.ts';

/** What one pass over a log goes by. */
export interface CleanPass {
  kernels: Kernels;
  codecs: Codecs;
  keys: KeyOffsets;
  /** `keys` know of nothing at or above it. */
  keysEndOffset: Offset;
  /** Of the part that was cleanable: the batch that ends there stays, so that the log ends where it did. */
  endOffset: Offset;
  transactions: CleanedTransactions;
  /** As they were when the pass began. */
  producers: LastBatches;
  nowMs: Millis;
  deleteRetentionMs: Millis;
}

/** The last batch of each producer that is remembered; -1 for one that left nothing but a marker. */
export type LastBatches = ReadonlyMap<number, { lastOffset: Offset; epoch: number }>;

/** What a pass did. */
export interface CleanCounts {
  recordsRead: number;
  recordsKept: number;
}

/** What is known of a batch before its records are looked at. */
interface Fate {
  /** All records go. */
  discards: boolean;
  /** Stays without records. */
  staysEmpty: boolean;
  /** A marker of which nothing is left that it ends. */
  isIdleMarker: boolean;
}

export function lastBatchesOf(producers: ProducerStates): LastBatches {
  return new Map(
    producers
      .all()
      .map(({ producerId, epoch, batches }) => [
        producerId,
        { lastOffset: batches.at(-1)?.lastOffset ?? -1, epoch },
      ]),
  );
}

/**
 * What is left of the next batch of a log, in order: itself when nothing of it goes, undefined when nothing is left.
 *
 * - Of a key the newest record stays. A tombstone goes delete.retention.ms after the pass that first kept it as such:
 *   that pass writes the horizon into the batch. A record without a key goes.
 * - Records that were aborted go. A marker goes once no batch it ends is left, after the same horizon.
 * - The last batch of a producer that is remembered stays, so that its sequence does; empty if need be.
 * @throws {KafkaError} when the batch cannot be read.
 */
export function cleanBatch(
  header: BatchHeader,
  pass: CleanPass,
  counts: CleanCounts,
): MaybePromise<Uint8Array | undefined> {
  counts.recordsRead += header.recordsCount;
  const fate = fateOf(header, pass);
  if (fate.discards || header.recordsCount === 0) {
    if (!fate.staysEmpty) return undefined;
    return header.recordsCount === 0 ? header.bytes : emptyBatch(pass.kernels, header);
  }
  if (header.isControl && !fate.isIdleMarker) {
    counts.recordsKept += header.recordsCount;
    return header.bytes;
  }
  return andThen(records(header.bytes, pass.kernels, pass.codecs), (found) =>
    filterRecords(found, { pass, counts, fate }),
  );
}

function filterRecords(
  found: BatchRecords,
  { pass, counts, fate }: { pass: CleanPass; counts: CleanCounts; fate: Fate },
): MaybePromise<Uint8Array | undefined> {
  const { header } = found;
  const horizonMs = header.deleteHorizonMs;
  const keepsTombstones = horizonMs === undefined || pass.nowMs < horizonMs;
  const keeps = new Uint8Array(found.length);
  let kept = 0;
  let needsHorizon = fate.isIdleMarker;
  const cursor = found.cursor();
  for (let index = 0; cursor.next(); index++) {
    const stays = header.isControl || isRetained(cursor, pass, keepsTombstones);
    if (!stays) continue;
    keeps[index] = 1;
    kept++;
    if (cursor.valueLength < 0) needsHorizon = true;
  }
  counts.recordsKept += kept;
  if (kept === 0) return fate.staysEmpty ? emptyBatch(pass.kernels, header) : undefined;
  const deleteHorizonMs =
    needsHorizon && horizonMs === undefined ? pass.nowMs + pass.deleteRetentionMs : undefined;
  if (kept === found.length && deleteHorizonMs === undefined) return header.bytes;
  return retainRecords(pass, found, { keeps: (index) => keeps[index] === 1, deleteHorizonMs });
}

type Cursor = ReturnType<BatchRecords['cursor']>;

function isRetained(cursor: Cursor, pass: CleanPass, keepsTombstones: boolean): boolean {
  if (cursor.offset >= pass.keysEndOffset) return true;
  if (cursor.keyLength < 0) return false;
  const { bytes, keyAt, keyLength } = cursor.span;
  if (cursor.offset < pass.keys.get(bytes, keyAt, keyLength)) return false;
  return cursor.valueLength >= 0 || keepsTombstones;
}

function fateOf(header: BatchHeader, pass: CleanPass): Fate {
  const { isControl, producerId, lastOffset, producerEpoch, deleteHorizonMs } = header;
  const canDiscard = isControl
    ? pass.transactions.observeMarker(header, markerType(header, pass))
    : pass.transactions.observe(header);
  const isPast = deleteHorizonMs !== undefined && deleteHorizonMs <= pass.nowMs;
  const last = producerId < 0 ? undefined : pass.producers.get(producerId);
  const isLastOfProducer =
    last !== undefined &&
    (last.lastOffset >= 0 ? last.lastOffset === lastOffset : isControl && last.epoch === producerEpoch);
  return {
    discards: canDiscard && (!isControl || isPast),
    staysEmpty: isLastOfProducer || lastOffset + 1 === pass.endOffset,
    isIdleMarker: isControl && canDiscard,
  };
}

/** Undefined for one that has no record any more. Control batches are never compressed. */
function markerType(
  { bytes, codec, recordsCount }: BatchHeader,
  { kernels }: { kernels: Kernels },
): number | undefined {
  if (codec !== CODEC.none || recordsCount < 1) return undefined;
  const found = records(bytes, kernels, new Map());
  return found instanceof Promise ? undefined : controlType(found.at(0).key);
}

/** Why {@link mapBatch} took nothing more. */
export type Mapped = 'mapped' | 'full';

/** Learns where the keys of the next batch stand. `full`: there was no room for all of them. */
export function mapBatch(
  header: BatchHeader,
  pass: Pick<CleanPass, 'kernels' | 'codecs' | 'keys' | 'transactions'>,
  fromOffset: Offset,
): MaybePromise<Mapped> {
  if (header.isControl) {
    pass.transactions.observeMarker(header, markerType(header, pass));
    return 'mapped';
  }
  if (pass.transactions.observe(header) || header.recordsCount === 0) return 'mapped';
  return andThen(records(header.bytes, pass.kernels, pass.codecs), (found) => {
    const cursor = found.cursor();
    while (cursor.next()) {
      if (cursor.keyLength < 0 || cursor.offset < fromOffset) continue;
      const { bytes, keyAt, keyLength } = cursor.span;
      if (!pass.keys.put(bytes, keyAt, keyLength, cursor.offset)) return 'full';
    }
    return 'mapped';
  });
}
