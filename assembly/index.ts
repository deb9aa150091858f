/** The kernels' whole surface: plain functions on areas of linear memory (see layout.ts). No imports, no allocation. */
export { crc32c } from './crc32c';
export { indexRecords, validateBatch } from './batch';
export { encodeBatch, encodeRecords } from './encode';

/** First byte of TypeScript's part of memory. */
export function heapBase(): usize {
  return __heap_base;
}
