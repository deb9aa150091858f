import type { EncodeRecord, Kernels } from '../kernels/kernels.ts';
import { at, invariant } from '../model/assert.ts';
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import { andThen, CODEC, codecOf, decompress } from './codecs.ts';
import type { Codecs, MaybePromise } from './codecs.ts';
import { BatchHeader, CODEC_MASK, CONTROL, HEADER_SIZE, TRANSACTIONAL } from './header.ts';

const NO_HEADERS: EncodeRecord['headers'] = [];

/** A record to be built; what is left out is null or none. Texts become UTF-8. */
export interface NewRecord {
  key?: Uint8Array | string | null;
  value?: Uint8Array | string | null;
  headers?: readonly { key: string; value: Uint8Array | string | null }[];
  timestamp: Millis;
}

export interface BatchSpec {
  /** At least one; record `i` gets offset `baseOffset + i`. */
  records: readonly NewRecord[];
  /** 0 in a produce request; a leader stamps it. */
  baseOffset?: Offset;
  leaderEpoch?: LeaderEpoch;
  producerId?: number;
  producerEpoch?: number;
  baseSequence?: number;
  isTransactional?: boolean;
  isControl?: boolean;
}

/** A whole uncompressed batch, sealed. Compress it with {@link recompress}. */
export function buildBatch(kernels: Kernels, spec: BatchSpec): Uint8Array {
  invariant(spec.records.length > 0, 'a batch holds at least one record');
  const baseTimestamp = at(spec.records, 0).timestamp;
  let maxTimestamp = baseTimestamp;
  for (const { timestamp } of spec.records) if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  const header = {
    baseOffset: spec.baseOffset ?? 0,
    partitionLeaderEpoch: spec.leaderEpoch ?? -1,
    attributes: (spec.isTransactional ? TRANSACTIONAL : 0) | (spec.isControl ? CONTROL : 0),
    baseTimestamp,
    maxTimestamp,
    producerId: spec.producerId ?? -1,
    producerEpoch: spec.producerEpoch ?? -1,
    baseSequence: spec.baseSequence ?? -1,
  };
  return kernels.encodeBatch(header, encodable(spec.records, baseTimestamp));
}

/**
 * The same batch with its record block packed by `codec` (0 unpacks it); `batch` itself when it is that
 * already. Offsets, timestamps and producer fields stay. Sync when the codecs are.
 * @param level of the codec, where it has levels.
 * @throws {KafkaError} as `decompress` does.
 */
export function recompress(
  tools: { kernels: Kernels; codecs: Codecs },
  batch: Uint8Array,
  codec: number,
  level?: number,
): MaybePromise<Uint8Array> {
  const header = new BatchHeader(batch);
  if (header.codec === codec) return batch;
  const plain = decompress(tools.codecs, { codec: header.codec, bytes: header.recordBytes });
  const packed = andThen(plain, (block) =>
    codec === CODEC.none ? block : codecOf(tools.codecs, codec).compress(block, level),
  );
  return andThen(packed, (block) => {
    const bytes = new Uint8Array(HEADER_SIZE + block.length);
    bytes.set(batch.subarray(0, HEADER_SIZE));
    bytes.set(block, HEADER_SIZE);
    const sealed = new BatchHeader(bytes);
    sealed.attributes = (sealed.attributes & ~CODEC_MASK) | codec;
    sealed.seal(tools.kernels, bytes.length);
    return bytes;
  });
}

function encodable(records: readonly NewRecord[], baseTimestamp: Millis): EncodeRecord[] {
  return records.map(({ key, value, headers, timestamp }, offsetDelta) => ({
    timestampDelta: timestamp - baseTimestamp,
    offsetDelta,
    key: key ?? null,
    value: value ?? null,
    headers: headers ?? NO_HEADERS,
  }));
}
