import type { BatchHeaderFields } from '../../src/kernels/kernels.ts';

/** Of the batches that are made and looked at. */
export const HEADER: BatchHeaderFields = {
  baseOffset: 0,
  partitionLeaderEpoch: 0,
  attributes: 0,
  baseTimestamp: 1_700_000_000_000,
  maxTimestamp: 1_700_000_001_000,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
};
