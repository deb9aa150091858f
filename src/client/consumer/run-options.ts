import { invalidArgument } from '../errors.ts';
import type { AnyTopic } from '../topics/topic.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { Order } from './lanes.ts';

/** What is done with a record; it is done with when this returns, or what it returns resolves. */
export type Handler<K, V> = (record: ConsumedRecord<K, V>) => unknown;

export interface RunOptions {
  /** Records that are worked on at once; 1 unless given. */
  concurrency?: number | undefined;
  /** Which of them wait for each other: `key` and `partition`, the default, keep the order of theirs. */
  order?: Order | undefined;
  /** How often a record is tried again when the handler throws, with pauses that grow; 0 unless given. */
  retry?: number | undefined;
  /** Where a record goes that failed for the last time, with headers that say why. Without, it ends the run. */
  deadLetter?: AnyTopic | undefined;
  /** Ends it: what is begun is finished first. */
  signal?: AbortSignal | undefined;
}

export interface RunSettings {
  concurrency: number;
  order: Order;
  retry: number;
  deadLetter: AnyTopic | undefined;
}

const ORDERS: readonly Order[] = ['key', 'partition', 'none'];

/** @throws MilenaError INVALID_ARGUMENT */
export function runSettingsOf(options: RunOptions): RunSettings {
  const { concurrency = 1, order = 'partition', retry = 0, deadLetter } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw invalidArgument(`concurrency is a number from 1 on, not ${concurrency}`);
  if (!Number.isSafeInteger(retry) || retry < 0)
    throw invalidArgument(`retry is a number from 0 on, not ${retry}`);
  if (!ORDERS.includes(order)) throw invalidArgument(`there is no order ${order}`);
  return { concurrency, order, retry, deadLetter };
}
