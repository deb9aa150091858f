import type { Kernels } from '../kernels/kernels.ts';
import { KafkaError } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { LogName, LogStore } from '../ports/log-store.ts';
import { records } from '../records/batch.ts';
import type { Codecs } from '../records/codecs.ts';
import { BatchHeader } from '../records/header.ts';
import type { TimestampOffset } from './append.ts';
import type { EpochCache } from './epochs.ts';

/** Times ListOffsets gives a meaning. */
export const LookupTime = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPendingUpload: -6,
} as const;

const NOT_FOUND: TimestampOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 };

export interface LookupParts {
  store: LogStore;
  name: LogName;
  kernels: Kernels;
  codecs: Codecs;
  epochs: EpochCache;
}

export interface Lookup {
  target: Millis;
  start: Offset;
  /** Nothing at or above it is found. */
  endOffset: Offset;
}

/**
 * Answers a ListOffsets question, see `PartitionLog.offsetForTimestamp`. A negative time without a meaning
 * finds none.
 */
export async function findTimestamp(parts: LookupParts, lookup: Lookup): Promise<TimestampOffset> {
  const { epochs } = parts;
  const at = (offset: Offset) => ({ offset, timestamp: -1, leaderEpoch: epochs.epochAt(offset) });
  switch (lookup.target) {
    case LookupTime.latest:
      return { offset: lookup.endOffset, timestamp: -1, leaderEpoch: epochs.latest };
    case LookupTime.earliest:
      return at(lookup.start);
    case LookupTime.earliestLocal:
      return at(Math.max(lookup.start, tieredEnd(parts)));
    case LookupTime.latestTiered:
      return tieredEnd(parts) > lookup.start ? at(tieredEnd(parts) - 1) : NOT_FOUND;
    case LookupTime.maxTimestamp:
      return findLargest(parts, lookup);
    default:
      return findFirst(parts, lookup);
  }
}

/** Where what is in remote storage alone ends; 0 when nothing is. */
function tieredEnd({ store, name }: LookupParts): Offset {
  return store.remoteSegments?.(name.log).at(-1)?.nextOffset ?? 0;
}

/**
 * The first record in the range with the largest time there. Segments say it of all they hold: when no record in the
 * range has that, some forty lookups find the largest one that does.
 */
async function findLargest(parts: LookupParts, lookup: Lookup): Promise<TimestampOffset> {
  const { store, name } = parts;
  let above = store
    .segments(name.log)
    .reduce((largest, { maxTimestamp }) => Math.max(largest, maxTimestamp), -1);
  let found = await findFirst(parts, { ...lookup, target: above });
  if (found.offset >= 0) return found;
  while (above - found.timestamp > 1) {
    const target = Math.floor((found.timestamp + above) / 2);
    const next = await findFirst(parts, { ...lookup, target });
    if (next.offset >= 0) found = next;
    else above = target;
  }
  return found;
}

async function findFirst(parts: LookupParts, lookup: Lookup): Promise<TimestampOffset> {
  if (lookup.target < 0) return NOT_FOUND;
  const { log } = parts.name;
  let fromOffset = lookup.start;
  while (fromOffset < lookup.endOffset) {
    const base = await parts.store.batchAt(log, lookup.target, fromOffset);
    if (base === undefined || base >= lookup.endOffset) return NOT_FOUND;
    const { endOffset } = lookup;
    const first = Math.max(base, fromOffset);
    const bytes = await parts.store.read(log, {
      fromOffset: first,
      endOffset,
      maxBytes: 1,
      isVerified: true,
    });
    if (bytes.length === 0) return NOT_FOUND;
    const found = await findInBatch(parts, { ...lookup, start: fromOffset }, bytes);
    if (found) return found;
    fromOffset = new BatchHeader(bytes).lastOffset + 1;
  }
  return NOT_FOUND;
}

/**
 * A batch whose records cannot be unpacked here answers with its start, so that whoever resumes there
 * misses nothing.
 */
async function findInBatch(
  parts: LookupParts,
  { target, start }: Lookup,
  bytes: Uint8Array,
): Promise<TimestampOffset | undefined> {
  const header = new BatchHeader(bytes);
  const leaderEpoch = header.partitionLeaderEpoch;
  try {
    const cursor = (await records(bytes, parts.kernels, parts.codecs)).cursor();
    while (cursor.next()) {
      const { offset, timestamp } = cursor;
      // What a client packed was not looked at when it came: its offsets may lie.
      const isInside = offset >= start && offset <= header.lastOffset;
      if (isInside && timestamp >= target) return { offset, timestamp, leaderEpoch };
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return { offset: Math.max(header.baseOffset, start), timestamp: header.maxTimestamp, leaderEpoch };
  }
}
