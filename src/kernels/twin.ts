import type { BatchFault, BatchHeaderFields, EncodeRecord, Kernels, ValidBatches } from './kernels.ts';
import { indexBatch, indexRecords, validateBatch, validateBatches } from './twins/batch.ts';
import { crc32c } from './twins/crc32c.ts';
import { encodeBatch, encodeRecords } from './twins/encode.ts';

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
}
