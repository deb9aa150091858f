import type { Millis } from '../model/ids.ts';

/** What a share group is read by, in Kafka's names without `share.`. */
export interface ShareGroupConfig {
  /** `earliest`, `latest`, or `by_duration:` and an ISO-8601 duration. */
  autoOffsetReset: string;
  isolationLevel: 'read_uncommitted' | 'read_committed';
  recordLockDurationMs: Millis;
  deliveryCountLimit: number;
  /** Records between the first that is not done and the last that was delivered. */
  partitionMaxRecordLocks: number;
  renewAcknowledgeEnable: boolean;
}

export const DEFAULT_SHARE_GROUP_CONFIG: ShareGroupConfig = {
  autoOffsetReset: 'latest',
  isolationLevel: 'read_uncommitted',
  recordLockDurationMs: 30_000,
  deliveryCountLimit: 5,
  partitionMaxRecordLocks: 2_000,
  renewAcknowledgeEnable: true,
};
