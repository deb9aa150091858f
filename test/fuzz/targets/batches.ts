import { crc32c } from '@node-rs/crc32';
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CRC,
  HEADER_SIZE,
  LENGTH_OVERHEAD,
} from '../../../src/kernels/batch-layout.ts';
import { BatchFault } from '../../../src/kernels/kernels.ts';
import { TwinKernels } from '../../../src/kernels/twin.ts';
import { BatchHeader } from '../../../src/records/header.ts';
import { records } from '../../../src/records/batch.ts';
import { kafkajs, text } from '../../records/clients.ts';
import { wasm } from '../../kernels/instances.ts';
import type { SeededRandom } from '../../support/random.ts';
import { guarded, raw } from '../guarded.ts';
import { damage, randomBytes } from '../damage.ts';
import { type Target, mustHold, sameBytes } from '../target.ts';

const twin = new TwinKernels();
const NO_CODECS = new Map();
/** kafkajs reads a batch in a millisecond, so it reads one in so many of those that are whole. */
const ORACLE_EVERY = 40;
let whole = 0;

function bytesOrNull(random: SeededRandom, max: number): Uint8Array | null {
  return random.chance(0.2) ? null : randomBytes(random, random.integer(0, max));
}

function drawBatch(random: SeededRandom): Uint8Array {
  const count = random.integer(0, 6);
  const header = {
    baseOffset: random.integer(0, 1_000_000),
    partitionLeaderEpoch: random.integer(-1, 10),
    attributes: random.chance(0.9) ? random.pick([0, 0x08, 0x10, 0x20]) : random.integer(0, 0x7f),
    baseTimestamp: 1_700_000_000_000,
    maxTimestamp: 1_700_000_000_000 + random.integer(0, 1_000),
    producerId: random.integer(-1, 5),
    producerEpoch: random.integer(-1, 5),
    baseSequence: random.integer(-1, 5),
  };
  const list = Array.from({ length: count }, (_, offsetDelta) => ({
    timestampDelta: random.integer(-5, 1_000),
    offsetDelta,
    key: bytesOrNull(random, 20),
    value: bytesOrNull(random, random.chance(0.05) ? 9_000 : 100),
    headers: Array.from({ length: random.chance(0.3) ? random.integer(1, 3) : 0 }, () => ({
      key: new TextEncoder().encode(random.pick(['', 'trace', 'é'])),
      value: bytesOrNull(random, 10),
    })),
  }));
  const ours = wasm.encodeBatch(header, list);
  mustHold(
    sameBytes(ours, twin.encodeBatch(header, list)),
    () => 'the kernel encodes otherwise than its twin',
  );
  return ours;
}

/** Right length and checksum, so that what is damaged is found behind them. */
function sealed(batch: Uint8Array): Uint8Array {
  if (batch.length < HEADER_SIZE) return batch;
  const view = new DataView(batch.buffer, batch.byteOffset);
  view.setInt32(BATCH_LENGTH, batch.length - LENGTH_OVERHEAD);
  view.setUint32(CRC, crc32c(batch.subarray(ATTRIBUTES)));
  return batch;
}

/** Batches as a broker gets them: kernel, twin and others say the same of them. */
export const batches: Target = {
  name: 'batches',
  share: 30,
  bufferMaxBytes: 256 * 1024,
  make(random) {
    const batch = drawBatch(random);
    if (random.chance(0.1)) return batch;
    const hurt = damage(batch, random);
    return random.chance(0.7) ? sealed(hurt) : hurt;
  },
  async check(input) {
    mustHold(wasm.crc32c(input) === crc32c(input), () => 'the checksum is not the native one');
    const fault = wasm.validateBatch(input);
    const other = twin.validateBatch(input);
    mustHold(fault === other, () => `validateBatch: ${fault}, its twin says ${other}`);
    sameBatches(input, fault);
    const block = input.subarray(Math.min(HEADER_SIZE, input.length));
    const count = input.length < HEADER_SIZE ? 0 : new BatchHeader(input).recordsCount;
    const rows = count >= 0 && count <= input.length ? [sameRows(block, count)] : [];
    if (fault === BatchFault.none && new BatchHeader(input).codec === 0 && whole++ % ORACLE_EVERY === 0)
      await sameRecords(input);
    return [`batch: ${nameOf(fault)}`, ...rows];
  },
};

function nameOf(fault: BatchFault): string {
  return Object.entries(BatchFault).find(([, code]) => code === fault)?.[0] ?? String(fault);
}

/** Batches one behind the other: the input, and the input behind itself. */
function sameBatches(input: Uint8Array, fault: BatchFault): void {
  for (const bytes of [input, new Uint8Array(Buffer.concat([input, input]))]) {
    const { end, fault: found } = wasm.validateBatches(bytes);
    const other = twin.validateBatches(bytes);
    mustHold(end === other.end && found === other.fault, () => 'validateBatches: not as its twin says');
    const { result } = guarded(
      { input: bytes, isSpent: true },
      (at, out) => out + raw.validateBatches(at, bytes.length),
    );
    mustHold(result === (end << 3) - found, () => 'validateBatches: another answer between guards');
  }
  const outSize = 32 * Math.floor(input.length / 7);
  const indexed = guarded(
    { input, isSpent: true, outSize },
    (at, out) => out + raw.indexBatch(at, input.length, out),
  );
  mustHold(indexed.result === fault, () => `indexBatch: ${indexed.result}, validateBatch ${fault}`);
}

function sameRows(block: Uint8Array, count: number): string {
  const rows = wasm.indexRecords(block, count);
  const others = twin.indexRecords(block, count);
  const isSame =
    rows instanceof Int32Array && others instanceof Int32Array
      ? rows.length === others.length && rows.every((value, at) => value === others[at])
      : rows === others;
  mustHold(isSame, () => 'indexRecords: the kernel and its twin differ');
  return rows instanceof Int32Array ? 'records: found' : `records: ${nameOf(rows)}`;
}

/** What the kernels accept reads as kafkajs reads it, as far as kafkajs reads such a batch at all. */
async function sameRecords(input: Uint8Array): Promise<void> {
  const ours = await records(input, wasm, NO_CODECS);
  const header = new BatchHeader(input);
  const lengths = new DataView(new ArrayBuffer(12));
  lengths.setInt32(8, input.length - LENGTH_OVERHEAD);
  let theirs;
  try {
    const decoder = new kafkajs.Decoder(Buffer.from(input));
    theirs = (await kafkajs.decodeBatch(decoder)).records;
  } catch {
    return;
  }
  if (header.isControl || header.recordsCount === 0) return;
  mustHold(theirs.length === ours.length, () => `${ours.length} records, kafkajs sees ${theirs.length}`);
  theirs.forEach((record, index) => {
    const mine = ours.at(index);
    mustHold(
      text(mine.key) === text(record.key) && text(mine.value) === text(record.value),
      () => `record ${index} is not the one kafkajs reads`,
    );
  });
}
