import type { LogConfig } from '../log/config.ts';
import { type ConfigLayers, brokerConfigNumber, topicConfig } from '../metadata/configs/effective.ts';

/** A log's settings as metadata has them, worked out again only when metadata has changed. */
export function logConfigOf(layers: ConfigLayers, topic: string): () => LogConfig {
  let version = -1;
  let config: LogConfig;
  return () => {
    if (layers.image.version !== version) {
      version = layers.image.version;
      config = readLogConfig(layers, topic);
    }
    return config;
  };
}

function readLogConfig(layers: ConfigLayers, topic: string): LogConfig {
  const values = topicConfig(layers, topic);
  const unlimited = (value: number) => (value < 0 ? Infinity : value);
  return {
    segmentBytes: values.number('segment.bytes'),
    segmentMs: values.number('segment.ms'),
    segmentIndexBytes: values.number('segment.index.bytes'),
    indexIntervalBytes: values.number('index.interval.bytes'),
    maxMessageBytes: values.number('max.message.bytes'),
    cleanupPolicy: values.list('cleanup.policy') as LogConfig['cleanupPolicy'],
    compressionType: values.string('compression.type') as LogConfig['compressionType'],
    timestampType: values.string('message.timestamp.type') as LogConfig['timestampType'],
    timestampBeforeMaxMs: values.number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: values.number('message.timestamp.after.max.ms'),
    retentionMs: unlimited(values.number('retention.ms')),
    retentionBytes: unlimited(values.number('retention.bytes')),
    producerIdExpirationMs: brokerConfigNumber(layers, 'producer.id.expiration.ms'),
  };
}
