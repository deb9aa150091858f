import { createRequire } from 'node:module';
import type { RecordHeader } from '../../src/records/batch.ts';

const require = createRequire(import.meta.url);

/** A record as a test writes and compares it, whoever made the batch. */
export interface PlainRecord {
  offset: number;
  timestamp: number;
  key: string | null;
  value: string | null;
  headers: { key: string; value: string | null }[];
}

interface KafkajsEncoder {
  buffer: Buffer;
}
interface KafkajsRecord {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | Buffer[]>;
}
interface KafkajsModules {
  RecordBatch(options: object): Promise<KafkajsEncoder>;
  Record(options: object): KafkajsEncoder;
  Decoder: new (buffer: Buffer) => object;
  decodeBatch(decoder: object): Promise<{ records: KafkajsRecord[] }>;
}

const INSIDE = 'kafkajs/src/protocol';

/** The insides of kafkajs that read and write batches; it has no types for them. */
export const kafkajs: KafkajsModules = {
  RecordBatch: require(`${INSIDE}/recordBatch/v0`).RecordBatch,
  Record: require(`${INSIDE}/recordBatch/record/v0`),
  Decoder: require(`${INSIDE}/decoder`),
  decodeBatch: require(`${INSIDE}/recordBatch/v0/decoder`),
};

/** The record as a plain value. */
export function plain(record: {
  offset: number;
  timestamp: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: RecordHeader[];
}): PlainRecord {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    key: text(record.key),
    value: text(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: text(value) })),
  };
}

export function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? Buffer.from(bytes).toString() : null;
}

export function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(text);
}

/** Records with every shape of key, value and headers, and timestamps that go back and forth. */
export function sampleRecords(count: number): PlainRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    offset: index,
    timestamp: 1_700_000_000_000 + ((index * 7919) % 1000),
    key: index % 5 === 4 ? null : `key-${index % 17}`,
    value: index % 7 === 6 ? null : `value ${index} `.repeat((index % 40) + 1),
    headers: index % 3 === 0 ? [{ key: 'trace', value: `id-${index}` }] : [],
  }));
}
