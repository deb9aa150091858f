import type {
  BatchFault,
  BatchHeaderFields,
  EncodeRecord,
  Kernels,
  PackFault,
  ValidBatches,
} from './kernels.ts';
import { indexBatch, indexRecords, validateBatch, validateBatches } from './twins/batch.ts';
import { crc32c } from './twins/crc32c.ts';
import { encodeBatch, encodeRecords } from './twins/encode.ts';
import { packLz4, unpackLz4 } from './twins/lz4.ts';
import { packSnappy, unpackSnappy } from './twins/snappy.ts';

/** The kernels in TypeScript: the oracle of the WASM ones, and what engines without SIMD run. */
export class TwinKernels implements Kernels {
  crc32c(bytes: Uint8Array): number {
    return crc32c(bytes);
  }
  validateBatch(bytes: Uint8Array): BatchFault {
    return validateBatch(bytes, crc32c);
  }
  validateBatches(bytes: Uint8Array): ValidBatches {
    return validateBatches(bytes, crc32c);
  }
  indexBatch(bytes: Uint8Array): Int32Array | BatchFault {
    return indexBatch(bytes, crc32c);
  }
  indexRecords(records: Uint8Array, count: number): Int32Array | BatchFault {
    return indexRecords(records, count);
  }
  encodeRecords(records: readonly EncodeRecord[]): Uint8Array {
    return encodeRecords(records);
  }
  encodeBatch(header: BatchHeaderFields, records: readonly EncodeRecord[]): Uint8Array {
    return encodeBatch(header, records, crc32c);
  }
  packLz4(bytes: Uint8Array): Uint8Array {
    return packLz4(bytes);
  }
  unpackLz4(bytes: Uint8Array, maxBytes: number): Uint8Array | PackFault {
    return unpackLz4(bytes, maxBytes);
  }
  packSnappy(bytes: Uint8Array, out: Uint8Array, at: number): number {
    return packSnappy(bytes, out, at);
  }
  unpackSnappy(elements: Uint8Array, out: Uint8Array): boolean {
    return unpackSnappy(elements, out);
  }
}
