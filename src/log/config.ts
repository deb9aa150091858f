import type { Millis } from '../model/ids.ts';

/** The topic settings a log obeys. Names are Kafka's in camel case; Infinity means no limit. */
export interface LogConfig {
  segmentBytes: number;
  segmentMs: Millis;
  /** At most so much is taken off `segmentMs`, for each segment another part of it. */
  segmentJitterMs: Millis;
  segmentIndexBytes: number;
  indexIntervalBytes: number;
  maxMessageBytes: number;
  cleanupPolicy: readonly ('delete' | 'compact')[];
  /** `producer` keeps what the sender chose. */
  compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Of that codec, where it has levels. */
  compressionLevel?: number | undefined;
  minInsyncReplicas: number;
  timestampType: 'CreateTime' | 'LogAppendTime';
  timestampBeforeMaxMs: Millis;
  timestampAfterMaxMs: Millis;
  retentionMs: Millis;
  retentionBytes: number;
  /** How long the files of a dropped segment stay on disk. */
  fileDeleteDelayMs: Millis;
  deleteRetentionMs: Millis;
  minCleanableDirtyRatio: number;
  minCompactionLagMs: Millis;
  maxCompactionLagMs: Millis;
  /** Whether closed segments go to remote storage, and how much of them stays here, too. */
  remoteStorageEnable: boolean;
  remoteLogCopyDisable: boolean;
  localRetentionMs: Millis;
  localRetentionBytes: number;
  /** Broker setting `producer.id.expiration.ms`: how long an idle producer's sequences are remembered. */
  producerIdExpirationMs: Millis;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Defaults of Kafka 4.3. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  cleanupPolicy: ['delete'],
  compressionType: 'producer',
  minInsyncReplicas: 1,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: 60 * 60 * 1000,
  retentionMs: 7 * DAY_MS,
  retentionBytes: Infinity,
  fileDeleteDelayMs: 60_000,
  deleteRetentionMs: DAY_MS,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  remoteStorageEnable: false,
  remoteLogCopyDisable: false,
  localRetentionMs: 7 * DAY_MS,
  localRetentionBytes: Infinity,
  producerIdExpirationMs: DAY_MS,
};
