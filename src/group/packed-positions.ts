/**
 * All positions of a group in one topic as one record. It stands in snapshots alone, which are this broker's own: no
 * log has it, and a wake reads a thousand of these instead of a hundred thousand.
 */
import type { Millis } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import { decodeMessage, encodeMessage, readMessage } from '../wire/codec.ts';
import { typed } from '../wire/coordinator-record.ts';
import { Reader } from '../wire/reader.ts';
import { array, int32, int64, literal, message, string, uuid } from '../wire/schema.ts';
import { keyMessage } from './record-kinds.ts';
import type { OffsetAndMetadata } from './records.ts';

/** Kafka's types are counted from 0 on. */
export const PACKED_KEY_TYPE = 127;
const VERSION_BYTES = 2;

const packedKey = keyMessage('PackedPositionsKey', { group: string('0+'), topic: string('0+') });

const packedValue = message({
  name: 'PackedPositionsValue',
  versions: '0',
  flexible: 'none',
  fields: {
    oldestCommitTimestamp: int64('0+'),
    topicId: uuid('0+'),
    positions: array(
      '0+',
      literal(
        {
          partition: int32('0+'),
          offset: int64('0+'),
          leaderEpoch: int32('0+'),
          metadata: string('0+'),
          commitTimestamp: int64('0+'),
        },
        (read, from) => ({
          partition: read.partition(from),
          offset: read.offset(from),
          leaderEpoch: read.leaderEpoch(from),
          metadata: read.metadata(from),
          commitTimestamp: read.commitTimestamp(from),
        }),
      ),
    ),
  },
});

/** Positions of one group and topic, unread but for what they say together. */
export interface PackedPositions {
  readonly type: 'positions';
  readonly group: string;
  readonly topic: string;
  readonly oldestCommitTimestamp: Millis;
  readonly bytes: Uint8Array;
}

/**
 * The same positions give the same bytes, in whatever order they were committed. Left out are those with an expiry of
 * their own, which clients before 2.1 ask for.
 */
export function* packed(
  key: { group: string; topic: string },
  partitions: ReadonlyMap<number, OffsetAndMetadata>,
): Iterable<MachineRecord> {
  const byId = new Map<string, [number, OffsetAndMetadata][]>();
  for (const [partition, value] of partitions) {
    const { topicId, expireTimestamp } = value;
    if (expireTimestamp !== -1) continue;
    if (!byId.get(topicId)?.push([partition, value])) byId.set(topicId, [[partition, value]]);
  }
  for (const [topicId, positions] of byId) {
    const value = {
      oldestCommitTimestamp: positions.reduce(
        (least, [, each]) => Math.min(least, each.commitTimestamp),
        Infinity,
      ),
      topicId,
      positions: positions
        .map(([partition, each]) => ({ ...each, partition }))
        .sort((a, b) => a.partition - b.partition),
    };
    yield {
      key: typed(PACKED_KEY_TYPE, encodeMessage(packedKey, 0, key)),
      value: typed(0, encodeMessage(packedValue, 0, value)),
    };
  }
}

/** @param bytes of the value, which are kept. */
export function readPacked(key: Reader, bytes: Uint8Array): PackedPositions {
  const said = readMessage(packedKey, 0, key);
  const oldestCommitTimestamp = new Reader(bytes, VERSION_BYTES).int64();
  return { type: 'positions', ...said, oldestCommitTimestamp, bytes };
}

export function* unpacked({ bytes }: PackedPositions): Iterable<[number, OffsetAndMetadata]> {
  const { topicId, positions } = decodeMessage(packedValue, 0, bytes, VERSION_BYTES);
  for (const { partition, ...position } of positions)
    yield [partition, { ...position, expireTimestamp: -1, topicId }];
}
