/**
 * Committed positions, read without their schema. A wake is a hundred thousand of them in a process that is still cold:
 * a few small functions are compiled soon and make nothing but the result. Read is what this broker itself writes
 * (OffsetCommitKey v1, OffsetCommitValue v4 with at most 126 bytes of metadata), to what the schema reads; all else
 * is the schema's.
 */
import type { Millis } from '../model/ids.ts';
import type { RecordSpan } from '../model/machine.ts';
import { decodeUtf8, decodeUuid } from '../wire/text.ts';
import type { OffsetAndMetadata, OffsetKey } from './records.ts';

const TWO_32 = 0x1_0000_0000;
/** What the high half of an int64 may be. */
const HIGH_MAX = Number.MAX_SAFE_INTEGER / TWO_32;

/** Whether it is one that this file reads: what the others here take for granted. */
export function isPosition({ bytes, keyAt, keyLength, valueAt, valueLength }: RecordSpan): boolean {
  return isOffsetKey(bytes, keyAt, keyLength) && isOffsetValue(bytes, valueAt, valueLength);
}

/** Type, group, topic, partition. */
function isOffsetKey(bytes: Uint8Array, at: number, length: number): boolean {
  if (int16(bytes, at) !== 1) return false;
  const groupLength = int16(bytes, at + 2);
  const partitionAt = at + length - 4;
  const topicAt = at + 4 + groupLength + 2;
  if (groupLength < 0 || topicAt > partitionAt) return false;
  return topicAt + int16(bytes, topicAt - 2) === partitionAt;
}

/** Version, offset, leader epoch, metadata, commit timestamp; in v4 one tagged field, the topic id. */
function isOffsetValue(bytes: Uint8Array, at: number, length: number): boolean {
  if (int16(bytes, at) !== 4) return false;
  const metadataLength = (bytes[at + 14] as number) - 1;
  if (metadataLength < 0 || metadataLength > 126 || length !== 42 + metadataLength) return false;
  const timestampAt = at + 15 + metadataLength;
  if (int64(bytes, at + 2) < 0 || int64(bytes, timestampAt) < 0) return false;
  const tagAt = timestampAt + 8;
  return bytes[tagAt] === 1 && bytes[tagAt + 1] === 0 && bytes[tagAt + 2] === 16;
}

/** Where its group's name ends, which begins at `keyAt + 4`. */
export function groupEndAt(bytes: Uint8Array, keyAt: number): number {
  return keyAt + 4 + int16(bytes, keyAt + 2);
}

export function readGroup(bytes: Uint8Array, keyAt: number): string {
  return decodeUtf8(bytes, keyAt + 4, groupEndAt(bytes, keyAt));
}

export function readOffsetKey(bytes: Uint8Array, at: number): OffsetKey {
  const groupEnd = groupEndAt(bytes, at);
  const partitionAt = groupEnd + 2 + int16(bytes, groupEnd);
  return {
    group: readGroup(bytes, at),
    topic: decodeUtf8(bytes, groupEnd + 2, partitionAt),
    partition: int32(bytes, partitionAt),
  };
}

export function readOffsetValue(bytes: Uint8Array, at: number): OffsetAndMetadata {
  const timestampAt = timestampAtOf(bytes, at);
  return {
    offset: int64(bytes, at + 2),
    leaderEpoch: int32(bytes, at + 10),
    metadata: decodeUtf8(bytes, at + 15, timestampAt),
    commitTimestamp: int64(bytes, timestampAt),
    expireTimestamp: -1,
    topicId: decodeUuid(bytes, timestampAt + 11),
  };
}

export function readCommitTimestamp(bytes: Uint8Array, valueAt: number): Millis {
  return int64(bytes, timestampAtOf(bytes, valueAt));
}

function timestampAtOf(bytes: Uint8Array, valueAt: number): number {
  return valueAt + 14 + (bytes[valueAt + 14] as number);
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
