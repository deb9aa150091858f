/** What becomes of a record of a share group, as it is stored (KIP-932). 3 is of a Kafka to come. */
export const DeliveryState = { AVAILABLE: 0, ACQUIRED: 1, ACKNOWLEDGED: 2, ARCHIVED: 4 } as const;

/** What members say of records they have. A gap is what has no record: compacted away, or a marker. */
export const AcknowledgeType = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const;

/** Whether batches go whole to members, or as many records as were asked for (KIP-1206). */
export const AcquireMode = { BATCH_OPTIMIZED: 0, RECORD_LIMIT: 1 } as const;

/** Not delivered again. */
export function isTerminal(state: number): boolean {
  return state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED;
}

/** Of a share partition that has no start yet: where its group begins is for its leader to say. */
export const NO_START_OFFSET = -1;
