import type { ProducerRecord } from '../producer/record.ts';
import type { InvalidRecord, RawRecord } from './invalid-record.ts';
import { type AnyTopic, nameOf } from './topic.ts';

/**
 * What becomes of a record that is not what its topic says. `throw`, the default: who reads is told, and stands where
 * it was. `skip`: it is left out. A function has it, and it is left out unless the function throws. `deadLetter`: it is
 * written to that topic as it is, and left out once that is acknowledged.
 */
export type OnInvalid =
  | 'throw'
  | 'skip'
  | ((invalid: InvalidRecord, record: RawRecord) => void | Promise<void>)
  | { readonly deadLetter: AnyTopic };

/** Writes bytes to a topic, and resolves when they are acknowledged. */
export type SendRaw = (topic: string, record: ProducerRecord) => Promise<unknown>;

/** Resolves when the record is dealt with, and is to be left out. @throws itself, or why it could not be dealt with. */
export async function settleInvalid(
  invalid: InvalidRecord,
  onInvalid: OnInvalid,
  send: SendRaw,
): Promise<void> {
  const { record } = invalid;
  if (onInvalid === 'throw' || record === undefined) throw invalid;
  if (onInvalid === 'skip') return;
  if (typeof onInvalid === 'function') return onInvalid(invalid, record);
  await send(nameOf(onInvalid.deadLetter), deadLetterOf(record, invalid));
}

/** The record as it is, and in headers where it was and why it is not there any more. */
export function deadLetterOf(record: RawRecord, why: unknown): ProducerRecord {
  const { topic, partition, offset, timestamp, headers, keyBytes, valueBytes } = record;
  const reason = why instanceof Error ? why.message : String(why);
  const about = { topic, partition: String(partition), offset: String(offset), reason };
  const added = Object.entries(about).map(([key, value]) => ({ key: `dead-letter-${key}`, value }));
  return { key: keyBytes, value: valueBytes, timestamp, headers: [...headers, ...added] };
}
