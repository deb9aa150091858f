import { expect, test } from 'vitest';
import { BatchFault, type EncodeRecord, PackFault, ROW } from '../../src/kernels/kernels.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { lzOf } from '../../src/kernels/lz.ts';
import { twinLz } from '../../src/kernels/twin-lz.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { WasmKernels } from '../../src/kernels/wasm.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const HEADER = {
  baseOffset: 7,
  partitionLeaderEpoch: 1,
  attributes: 0,
  baseTimestamp: 1_700_000_000_000,
  maxTimestamp: 1_700_000_000_099,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
};
const RECORDS: EncodeRecord[] = Array.from({ length: 100 }, (_, offsetDelta) => ({
  timestampDelta: offsetDelta,
  offsetDelta,
  key: offsetDelta % 3 === 0 ? null : text(`key ${offsetDelta}`),
  value: new Uint8Array(offsetDelta * 11).fill(offsetDelta),
  headers: [{ key: text('trace'), value: offsetDelta % 2 === 0 ? null : text('on') }],
}));

/** What must hold in each runtime: the loader finds the WASM kernels there, and they equal their twin. */
export function kernelSuite(): void {
  test('the loader gives the WASM kernels, once', async () => {
    const kernels = await loadKernels();
    expect(kernels).toBeInstanceOf(WasmKernels);
    expect(await loadKernels()).toBe(kernels);
    expect(kernels.crc32c(text('123456789'))).toBe(0xe3069283);
  });

  test('a batch goes through every kernel as through its twin', async () => {
    const kernels = await loadKernels();
    const twin = new TwinKernels();
    const batch = kernels.encodeBatch(HEADER, RECORDS);
    expect(batch).toEqual(twin.encodeBatch(HEADER, RECORDS));
    expect(kernels.validateBatch(batch)).toBe(BatchFault.none);
    const block = kernels.encodeRecords(RECORDS);
    const rows = kernels.indexRecords(block, RECORDS.length);
    expect(rows).toEqual(twin.indexRecords(block, RECORDS.length));
    expect(rows).toHaveLength(RECORDS.length * ROW.size);
    expect(kernels.indexBatch(batch)).toEqual(rows);
    const cut = Uint8Array.from([...batch, ...batch, ...batch.subarray(1)]);
    expect(kernels.validateBatches(cut)).toEqual(twin.validateBatches(cut));
    expect(kernels.validateBatches(cut).end).toBe(2 * batch.length);
  });

  test('every damaged byte is found, and in the same way', async () => {
    const kernels = await loadKernels();
    const twin = new TwinKernels();
    const batch = kernels.encodeBatch(HEADER, RECORDS.slice(0, 5));
    // Base offset and leader epoch, the first 8 and four more bytes at 12, may change: the CRC leaves them out.
    for (let at = 0; at < batch.length; at++) {
      const hurt = batch.slice();
      hurt[at]! ^= 0x10;
      const stamped = at < 8 || (at >= 12 && at < 16);
      expect(kernels.validateBatch(hurt) === BatchFault.none, `byte ${at}`).toBe(stamped);
      expect(kernels.validateBatch(hurt)).toBe(twin.validateBatch(hurt));
    }
  });

  test('LZ4 and Snappy pack and unpack as their twins, and stop at their bounds', async () => {
    const kernels = await loadKernels();
    const lz = lzOf(kernels);
    const plain = kernels.encodeRecords([...RECORDS, ...RECORDS, ...RECORDS]);
    const frame = lz.packLz4(plain);
    expect(frame).toEqual(twinLz.packLz4(plain));
    expect(frame.length).toBeLessThan(plain.length / 10);
    expect(lz.unpackLz4(frame, plain.length)).toEqual(plain);
    expect(lz.unpackLz4(frame, plain.length - 1)).toBe(PackFault.tooLarge);
    expect(lz.unpackLz4(frame.subarray(1), plain.length)).toBe(PackFault.corrupt);

    const out = new Uint8Array(2 * plain.length);
    const elements = out.slice(0, lz.packSnappy(plain, out, 0));
    expect(elements).toEqual(out.slice(0, twinLz.packSnappy(plain, out, 0)));
    const unpacked = new Uint8Array(plain.length);
    expect(lz.unpackSnappy(elements, unpacked)).toBe(true);
    expect(unpacked).toEqual(plain);
    expect(lz.unpackSnappy(elements, new Uint8Array(plain.length - 1))).toBe(false);
  });
}
