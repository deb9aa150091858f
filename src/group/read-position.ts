/**
 * Committed positions, read without their schema. A wake is a hundred thousand of them in a process that is still cold:
 * a few small functions are compiled soon and make nothing but the result. Read is what this broker itself writes
 * (OffsetCommitKey v1, OffsetCommitValue v4 with at most 126 bytes of metadata), to what the schema reads; all else
 * gives undefined, and is the schema's.
 */
import type { RecordSpan } from '../model/machine.ts';
import { decodeUtf8, decodeUuid } from '../wire/text.ts';
import type { OffsetAndMetadata, OffsetKey } from './records.ts';

const TWO_32 = 0x1_0000_0000;
/** What the high half of an int64 may be. */
const HIGH_MAX = Number.MAX_SAFE_INTEGER / TWO_32;

/** Type, group, topic, partition. */
export function readOffsetKey({ bytes, keyAt, keyLength }: RecordSpan): OffsetKey | undefined {
  if (int16(bytes, keyAt) !== 1) return undefined;
  const groupAt = keyAt + 4;
  const groupEnd = groupAt + int16(bytes, keyAt + 2);
  const partitionAt = keyAt + keyLength - 4;
  const topicAt = groupEnd + 2;
  if (groupEnd < groupAt || topicAt > partitionAt) return undefined;
  if (topicAt + int16(bytes, groupEnd) !== partitionAt) return undefined;
  return {
    group: decodeUtf8(bytes, groupAt, groupEnd),
    topic: decodeUtf8(bytes, topicAt, partitionAt),
    partition: int32(bytes, partitionAt),
  };
}

/** Version, offset, leader epoch, metadata, commit timestamp; in v4 one tagged field, the topic id. */
export function readOffsetValue({ bytes, valueAt, valueLength }: RecordSpan): OffsetAndMetadata | undefined {
  if (int16(bytes, valueAt) !== 4) return undefined;
  const metadataLength = (bytes[valueAt + 14] as number) - 1;
  const metadataAt = valueAt + 15;
  const timestampAt = metadataAt + metadataLength;
  if (metadataLength < 0 || metadataLength > 126 || valueLength !== 42 + metadataLength) return undefined;
  const offset = int64(bytes, valueAt + 2);
  const commitTimestamp = int64(bytes, timestampAt);
  if (offset < 0 || commitTimestamp < 0) return undefined;
  const tagAt = timestampAt + 8;
  if (bytes[tagAt] !== 1 || bytes[tagAt + 1] !== 0 || bytes[tagAt + 2] !== 16) return undefined;
  return {
    offset,
    leaderEpoch: int32(bytes, valueAt + 10),
    metadata: decodeUtf8(bytes, metadataAt, timestampAt),
    commitTimestamp,
    expireTimestamp: -1,
    topicId: decodeUuid(bytes, tagAt + 3),
  };
}

function int16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) >> 16) | (bytes[at + 1] as number);
}

function int32(bytes: Uint8Array, at: number): number {
  return (int16(bytes, at) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/** Negative where it is less than 0 or beyond 2^53. */
function int64(bytes: Uint8Array, at: number): number {
  const high = int32(bytes, at);
  const low = int32(bytes, at + 4);
  if (high === 0 && low >= 0) return low;
  return high > HIGH_MAX ? -1 : high * TWO_32 + (low >>> 0);
}
