import type { FetchResponse } from './apis/01-fetch.ts';

/** A partition in the answer to a fetch. */
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

export const NO_RECORDS = new Uint8Array(0);

/** One that brings no records, and of which nothing is known. */
export function emptyFetched(partitionIndex: number, errorCode: number): FetchedPartition {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  };
}
