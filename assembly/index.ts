/** The kernels' whole surface: plain functions on areas of linear memory (see layout.ts). No imports, no allocation. */
export { crc32cBegin, crc32cEnd, crc32cMore, crc32cSpent } from './crc32c';
export { indexBatch, indexRecords, validateBatch, validateBatches } from './batch';
export { encodeBatch, encodeRecords } from './encode';
export { packLz4Blocks, unpackLz4Block } from './lz4';
export { packSnappy, unpackSnappy } from './snappy';
export { xxh32, xxh32Begin, xxh32End, xxh32Stripes } from './xxh32';

/** First byte of TypeScript's part of memory. */
export function heapBase(): usize {
  return __heap_base;
}
