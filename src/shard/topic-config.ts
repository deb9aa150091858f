import type { LogConfig } from '../log/config.ts';
import {
  type ConfigLayers,
  brokerConfigNumber,
  following,
  topicConfig,
  type TopicConfig,
} from '../metadata/configs/effective.ts';

/** A log's settings as metadata has them. */
export function logConfigOf(layers: ConfigLayers, topic: string): () => LogConfig {
  return following(layers, () => readLogConfig(layers, topic));
}

function readLogConfig(layers: ConfigLayers, topic: string): LogConfig {
  const values = topicConfig(layers, topic);
  const unlimited = (value: number) => (value < 0 ? Infinity : value);
  const retentionMs = unlimited(values.number('retention.ms'));
  const retentionBytes = unlimited(values.number('retention.bytes'));
  /** -2: as long as the log has it. */
  const local = (value: number, whole: number) => (value === -2 ? whole : unlimited(value));
  return {
    segmentBytes: values.number('segment.bytes'),
    segmentMs: values.number('segment.ms'),
    segmentJitterMs: values.number('segment.jitter.ms'),
    segmentIndexBytes: values.number('segment.index.bytes'),
    indexIntervalBytes: values.number('index.interval.bytes'),
    maxMessageBytes: values.number('max.message.bytes'),
    cleanupPolicy: values.list('cleanup.policy') as LogConfig['cleanupPolicy'],
    compressionType: values.string('compression.type') as LogConfig['compressionType'],
    compressionLevel: compressionLevelOf(values),
    minInsyncReplicas: values.number('min.insync.replicas'),
    timestampType: values.string('message.timestamp.type') as LogConfig['timestampType'],
    timestampBeforeMaxMs: values.number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: values.number('message.timestamp.after.max.ms'),
    retentionMs,
    retentionBytes,
    remoteStorageEnable: values.boolean('remote.storage.enable'),
    remoteLogCopyDisable: values.boolean('remote.log.copy.disable'),
    localRetentionMs: local(values.number('local.retention.ms'), retentionMs),
    localRetentionBytes: local(values.number('local.retention.bytes'), retentionBytes),
    fileDeleteDelayMs: values.number('file.delete.delay.ms'),
    deleteRetentionMs: values.number('delete.retention.ms'),
    minCleanableDirtyRatio: values.number('min.cleanable.dirty.ratio'),
    minCompactionLagMs: values.number('min.compaction.lag.ms'),
    maxCompactionLagMs: values.number('max.compaction.lag.ms'),
    producerIdExpirationMs: brokerConfigNumber(layers, 'producer.id.expiration.ms'),
  };
}

/** lz4 has one here, and snappy none anywhere. */
function compressionLevelOf(values: TopicConfig): number | undefined {
  const codec = values.string('compression.type');
  return codec === 'gzip' || codec === 'zstd' ? values.number(`compression.${codec}.level`) : undefined;
}
