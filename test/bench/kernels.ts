import { crc32c as native } from '@node-rs/crc32';
import { createRecordsBatch, type CreateRecordsBatchOptions } from '@platformatic/kafka';
import { HEADER_SIZE } from '../../src/kernels/batch-layout.ts';
import type { EncodeRecord } from '../../src/kernels/kernels.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { validateBatch, validateBatches } from '../../src/kernels/twins/batch.ts';
import { encodeBatch } from '../../src/kernels/twins/encode.ts';
import { WasmKernels } from '../../src/kernels/wasm.ts';
import { IndexEntries } from '../../src/segments/index-entries.ts';
import * as kafkajs from '../kernels/kafkajs.ts';
import { SeededRandom } from '../support/random.ts';
import { HEADER } from './batch-header.ts';
import { decodeWith, decoders } from './decode.ts';
import { bestRatio, interleave, ratio, report } from './harness.ts';
import { slicing16 } from './slicing-16.ts';

const TWIN_16 = 'twin with slicing by 16';
/** Of issue 4. */
const ENCODE_BARS = { kafkajs: 40, '@platformatic/kafka': 10, twin: 1.5, [TWIN_16]: 1.5 };
/** A value to copy more for each record, which we feel more than kafkajs does. */
const OWN_HEADER_BARS = { ...ENCODE_BARS, kafkajs: 30 };

/** Many, of which the best one counts: a kernel is measured, not what else the machine does. */
const ROUNDS = 121;

const wasm = await loadKernels();
const twin = new TwinKernels();

interface Comparison {
  bench: string;
  /** What one call does, in millions: bytes, or records. Without it the figure is the time of a call, in ns. */
  millions?: number;
  unit: 'MB/s' | 'M records/s' | 'ns';
  /** What one call does when the unit is ns: 1 if it is left out. */
  perCall?: number;
  ours: () => unknown;
  peers: Record<string, () => unknown>;
  /** What stands for a side: its best round, if it is left out. */
  by?: typeof ratio;
  /** Least ratio to a peer. */
  bars?: Record<string, number>;
}

async function compare({
  bench,
  millions,
  unit,
  perCall = 1,
  ours,
  peers,
  by = bestRatio,
  bars = {},
}: Comparison): Promise<void> {
  const timings = await interleave<string>({ ours, ...peers }, ROUNDS);
  const seconds = Math.min(...timings['ours']!);
  const value = millions === undefined ? (seconds * 1e9) / perCall : millions / seconds;
  for (const peer of Object.keys(peers)) {
    const least = bars[peer];
    const figure = { bench, value, unit, peer, ratio: by(timings, 'ours', peer) };
    report(least === undefined ? figure : { ...figure, bar: { ratio: least } });
  }
}

export async function run(): Promise<void> {
  for (const size of [100, 1024, 16_384, 1_048_576])
    await benchCrc(named(size), atPage(noise(size)), crcBars(size));
  await benchCrc('16 KB, where an old glibc copies slowly', atPage(noise(16_384), slowToCopy()), {});
  for (const shape of [
    { count: 100, size: 100 },
    { count: 64, size: 1000 },
    { count: 1000, size: 1000 },
  ]) {
    await benchRead(shape);
  }
  await benchPayload();
  for (const size of [100, 1000]) {
    await benchDecode(size);
    await benchEncode(`${size} B`, recordsOf(1000, size), size < 1000 ? ENCODE_BARS : {});
    await benchEncodeTexts(size);
  }
  await benchEncode(
    '100 B, each with a header of its own',
    recordsOf(1000, 100).map(withHeader),
    OWN_HEADER_BARS,
  );
  for (const count of [64, 1000]) await benchIndexFloor(`${count} entries`, evenKeys(count));
  await benchIndexFloor('65536 entries', evenKeys(65_536), 3);
  await benchIndexFloor('65536 entries, half of them in a 50th of the range', unevenKeys(65_536), 2);
}

/**
 * `bytes` 16 bytes behind the beginning of a page, and so many more: the allocator puts there what is as large as this.
 * For at 1 of 130 addresses (or of 256, of those that it gives small ones) glibc 2.36 takes 25 times as long to
 * copy them into our memory on AMD's Zen 3, and a process that has them there once has them there always.
 */
function atPage(bytes: Uint8Array, further = 0): Uint8Array<ArrayBuffer> {
  const placed = new Uint8Array(64 * 1024 * 1024).subarray(further, further + bytes.length);
  placed.set(bytes);
  return placed;
}

/** It is so up to 31 bytes below where they are copied to, pages aside. */
function slowToCopy(): number {
  if (!(wasm instanceof WasmKernels)) throw new Error('these are not the WASM kernels');
  return (wasm.memory.base - 32) % 4096;
}

async function benchCrc(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  bars: Record<string, number>,
): Promise<void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  await compare({
    bench: `crc32c ${what}`,
    millions: bytes.length / 1e6,
    unit: 'MB/s',
    ours: () => wasm.crc32c(bytes),
    peers: {
      kafkajs: () => kafkajs.crc32c(bytes),
      twin: () => twin.crc32c(bytes),
      'slicing by 16': () => slicing16(bytes),
      '@node-rs/crc32': () => native(buffer),
    },
    bars,
  });
}

/** The bars of issue 4. The best JavaScript is the better one of two: short bytes are not worth a view of words. */
function crcBars(size: number): Record<string, number> {
  if (size < 1024) return { twin: 1.5, 'slicing by 16': 1.5 };
  if (size < 16_384) return { twin: 3, 'slicing by 16': 3, '@node-rs/crc32': 1.5 };
  return { kafkajs: 32, twin: 7, 'slicing by 16': 7, '@node-rs/crc32': 2.3 };
}

async function benchRead({ count, size }: { count: number; size: number }): Promise<void> {
  const batch = atPage(twin.encodeBatch(HEADER, recordsOf(count, size)));
  const block = batch.subarray(HEADER_SIZE);
  await compare({
    bench: `validate ${count} records of ${size} B`,
    millions: batch.length / 1e6,
    unit: 'MB/s',
    ours: () => wasm.validateBatch(batch),
    peers: {
      twin: () => twin.validateBatch(batch),
      [TWIN_16]: () => validateBatch(batch, slicing16),
    },
    bars: size < 1000 ? {} : { twin: 7 },
  });
  await compare({
    bench: `index ${count} records of ${size} B`,
    millions: count / 1e6,
    unit: 'M records/s',
    ours: () => wasm.indexRecords(block, count),
    peers: { twin: () => twin.indexRecords(block, count) },
  });
}

/** A fetch of 1 MB: 64 batches of 16 records of 1 KB, in one call. */
async function benchPayload(): Promise<void> {
  const batch = twin.encodeBatch(HEADER, recordsOf(16, 1000));
  const payload = atPage(Buffer.concat(Array.from({ length: 64 }, () => batch)));
  await compare({
    bench: 'validate 64 batches of 16 KB',
    millions: payload.length / 1e6,
    unit: 'MB/s',
    ours: () => wasm.validateBatches(payload),
    peers: {
      twin: () => twin.validateBatches(payload),
      [TWIN_16]: () => validateBatches(payload, slicing16),
    },
    bars: { twin: 7 },
  });
}

/** Peers make objects: they pay for them when they are collected, so here the median counts. */
async function benchDecode(size: number): Promise<void> {
  const count = 1000;
  const batch = twin.encodeBatch(HEADER, recordsOf(count, size));
  await compare({
    bench: `decode ${count} records of ${size} B, with checksum`,
    millions: count / 1e6,
    unit: 'M records/s',
    ours: () => decodeWith(wasm, batch),
    peers: { twin: () => decodeWith(twin, batch), ...decoders(batch) },
    bars: size < 1000 ? { '@platformatic/kafka': 10, twin: 2.8 } : { twin: 6 },
    by: ratio,
  });
}

/** Here too the median counts. */
async function benchEncode(
  what: string,
  records: readonly EncodeRecord<Uint8Array>[],
  bars: Record<string, number> = {},
): Promise<void> {
  await compare({
    bench: `encode ${records.length} records of ${what}`,
    millions: records.length / 1e6,
    unit: 'M records/s',
    ours: () => wasm.encodeBatch(HEADER, records),
    peers: {
      kafkajs: kafkajs.prepareBatch(HEADER, records),
      '@platformatic/kafka': platformaticEncode(records),
      ...inTypeScript(records),
    },
    bars,
    by: ratio,
  });
}

async function benchEncodeTexts(size: number): Promise<void> {
  const count = 1000;
  const records = textsOf(count, size);
  await compare({
    bench: `encode ${count} records of ${size} B, texts`,
    millions: count / 1e6,
    unit: 'M records/s',
    ours: () => wasm.encodeBatch(HEADER, records),
    peers: inTypeScript(records),
    bars: size < 1000 ? { twin: 4, [TWIN_16]: 4 } : {},
  });
}

function inTypeScript(records: readonly EncodeRecord[]): Record<string, () => unknown> {
  return {
    twin: () => twin.encodeBatch(HEADER, records),
    [TWIN_16]: () => encodeBatch(HEADER, records, slicing16),
  };
}

/** Its batch builder, with messages that are ready and the flat buffer that a socket needs. */
function platformaticEncode(records: readonly EncodeRecord<Uint8Array>[]): () => unknown {
  const messages = records.map(({ timestampDelta, key, value, headers }) => ({
    topic: 'topic',
    key: Buffer.from(key!),
    value: Buffer.from(value!),
    headers: new Map(headers.map((header) => [Buffer.from(header.key), Buffer.from(header.value!)])),
    timestamp: BigInt(HEADER.baseTimestamp + timestampDelta),
  }));
  const options: Partial<CreateRecordsBatchOptions> = { compression: 'none' };
  return () => createRecordsBatch(messages, options).buffer;
}

/** An entry each 37 offsets. */
function evenKeys(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, entry) => 37 * entry);
}

/** An entry each offset, and from the middle on each 50 offsets. */
function unevenKeys(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, entry) => entry + Math.max(0, 49 * (entry - count / 2)));
}

/** Offset indexes, beside a binary search of the same bytes. */
async function benchIndexFloor(what: string, keys: Int32Array, bar?: number): Promise<void> {
  const bytes = new Uint8Array(8 * keys.length);
  const view = new DataView(bytes.buffer);
  for (const [entry, key] of keys.entries()) view.setInt32(8 * entry, key);
  const entries = new IndexEntries(bytes, 8);
  // So many that no predictor learns them: of 1,000 it does, and then a search with branches costs half of ours.
  // Walked by number: with an iterator V8 may take as long for the walk as for the search.
  const random = new SeededRandom(1);
  const targets = Int32Array.from(
    { length: 65_536 },
    () => keys[random.integer(0, keys.length - 1)]! + random.integer(0, 37),
  );
  await compare({
    bench: `index floor of ${what}`,
    unit: 'ns',
    perCall: targets.length,
    ours() {
      let sum = 0;
      for (let at = 0; at < targets.length; at++) sum += entries.floor(targets[at]!);
      return sum;
    },
    peers: {
      'binary search'() {
        let sum = 0;
        for (let at = 0; at < targets.length; at++) sum += binarySearch(view, targets[at]!);
        return sum;
      },
    },
    bars: bar === undefined ? {} : { 'binary search': bar },
  });
}

function binarySearch(entries: DataView, target: number): number {
  let low = 0;
  let high = entries.byteLength >>> 3;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries.getInt32(middle << 3) <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The header of `recordsOf` is the same object in all records; here its value is not. */
function withHeader<R extends EncodeRecord<Uint8Array>>(record: R, number: number): R {
  const value = Buffer.from(String(number).padStart(16, '0'));
  return { ...record, headers: [{ key: record.headers[0]!.key, value }] };
}

function recordsOf(count: number, size: number): EncodeRecord<Uint8Array>[] {
  const headers = [{ key: Buffer.from('trace-id'), value: Buffer.from('0123456789abcdef') }];
  const value = Buffer.from(noise(size));
  return Array.from({ length: count }, (_, offsetDelta) => {
    const key = Buffer.from(`key-${offsetDelta}`.padEnd(16, '.'));
    return { timestampDelta: offsetDelta, offsetDelta, key, value, headers };
  });
}

/** Each text a string of its own, as a program makes them, but for the keys of headers. */
function textsOf(count: number, size: number): EncodeRecord<string>[] {
  const random = new SeededRandom(1);
  const text = (length: number) => Array.from({ length }, () => random.integer(0, 35).toString(36)).join('');
  return Array.from({ length: count }, (_, offsetDelta) => ({
    timestampDelta: offsetDelta,
    offsetDelta,
    key: text(16),
    value: text(size),
    headers: [{ key: 'trace-id', value: text(16) }],
  }));
}

function noise(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 197 + (i >> 5)) & 0xff);
}

function named(size: number): string {
  if (size >= 1_048_576) return `${size / 1_048_576} MB`;
  return size >= 1024 ? `${size / 1024} KB` : `${size} B`;
}
