import type { Millis } from '../model/ids.ts';

/** The topic settings a log obeys. Names are Kafka's in camel case; Infinity means no limit. */
export interface LogConfig {
  segmentBytes: number;
  segmentMs: Millis;
  segmentIndexBytes: number;
  indexIntervalBytes: number;
  maxMessageBytes: number;
  cleanupPolicy: readonly ('delete' | 'compact')[];
  /** `producer` keeps what the sender chose. */
  compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  timestampType: 'CreateTime' | 'LogAppendTime';
  timestampBeforeMaxMs: Millis;
  timestampAfterMaxMs: Millis;
  retentionMs: Millis;
  retentionBytes: number;
  /** Broker setting `producer.id.expiration.ms`: how long an idle producer's sequences are remembered. */
  producerIdExpirationMs: Millis;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Defaults of Kafka 4.3. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 7 * DAY_MS,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  cleanupPolicy: ['delete'],
  compressionType: 'producer',
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: 60 * 60 * 1000,
  retentionMs: 7 * DAY_MS,
  retentionBytes: Infinity,
  producerIdExpirationMs: DAY_MS,
};
