import type { Millis } from '../../model/ids.ts';
import { invalidArgument } from '../errors.ts';
import type { Isolation } from './lookups.ts';
import type { Position } from './position.ts';

export interface FetchOptions {
  /** `read_committed` gives no records of transactions that are open or aborted; `read_uncommitted` unless given. */
  isolation?: Isolation | undefined;
  /** Where this client is: a broker may send it to a replica near by (KIP-392). */
  rack?: string | undefined;
  /**
   * Bytes of records that are here or on their way, beyond which nothing is asked for; 33,554,432 unless given. Only
   * one batch that is larger goes over it. A batch counts until it is released.
   */
  maxBufferedBytes?: number | undefined;
  /** What one answer holds at most, soft; 4,194,304 unless given. */
  fetchMaxBytes?: number | undefined;
  /** What one answer holds of one partition, soft; 1,048,576 unless given. */
  partitionMaxBytes?: number | undefined;
  /** What a broker waits for, and how long: 1 and 500 unless given. */
  minBytes?: number | undefined;
  maxWaitMs?: Millis | undefined;
  /** Where to go on when a position is not there (any more); `throw` unless given. */
  outOfRange?: Position | 'throw' | undefined;
}

export type FetchSettings = Required<{ [Name in keyof FetchOptions]: NonNullable<FetchOptions[Name]> }>;

const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
const FETCH_MAX_BYTES = 4 * 1024 * 1024;
const PARTITION_MAX_BYTES = 1024 * 1024;
const MAX_WAIT_MS = 500;

/** @throws MilenaError INVALID_ARGUMENT */
export function settingsOf(options: FetchOptions): FetchSettings {
  const { isolation = 'read_uncommitted', rack = '', outOfRange = 'throw' } = options;
  const { maxBufferedBytes = MAX_BUFFERED_BYTES, fetchMaxBytes = FETCH_MAX_BYTES } = options;
  const { partitionMaxBytes = PARTITION_MAX_BYTES, minBytes = 1, maxWaitMs = MAX_WAIT_MS } = options;
  const sizes = { maxBufferedBytes, fetchMaxBytes, partitionMaxBytes, minBytes };
  for (const [name, size] of Object.entries(sizes))
    if (!Number.isSafeInteger(size) || size < 1)
      throw invalidArgument(`${name} is a number of bytes, not ${size}`);
  if (isolation !== 'read_committed' && isolation !== 'read_uncommitted')
    throw invalidArgument(`there is no isolation ${String(isolation)}`);
  return { isolation, rack, outOfRange, maxWaitMs, ...sizes };
}
