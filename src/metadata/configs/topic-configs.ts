/** What a topic can be told, with the broker setting that stands behind each (its synonym). Ours begin with milena. */
import type { ConfigDefinition, ConfigTypeName, Rule } from './definitions.ts';

/** name, type, default, rule, broker synonym, documentation. */
type Row = readonly [string, ConfigTypeName, string | null, Rule, string, string];

const LONG_MAX = '9223372036854775807';

// prettier-ignore
const ROWS = [
  ['cleanup.policy', 'list', 'delete', 'compact|delete', 'log.cleanup.policy', 'What becomes of old records: dropped by age and size, compacted to the last of each key, or both.'],
  ['compression.gzip.level', 'int', '-1', '-1 or 1..9', 'compression.gzip.level', 'Effort of gzip when the broker compresses; -1 is the codec\'s own choice.'],
  ['compression.lz4.level', 'int', '9', '1..17', 'compression.lz4.level', 'Effort of lz4 when the broker compresses.'],
  ['compression.type', 'string', 'producer', 'uncompressed|zstd|lz4|snappy|gzip|producer', 'compression.type', 'The codec batches are stored with; producer keeps the one they came with.'],
  ['compression.zstd.level', 'int', '3', '-131072..22', 'compression.zstd.level', 'Effort of zstd when the broker compresses.'],
  ['delete.retention.ms', 'long', '86400000', '>=0', 'log.cleaner.delete.retention.ms', 'How long compaction keeps a tombstone, so that slow readers still see the deletion.'],
  ['file.delete.delay.ms', 'long', '60000', '>=0', 'log.segment.delete.delay.ms', 'How long the files of a dropped segment stay on disk.'],
  ['flush.messages', 'long', LONG_MAX, '>=1', 'log.flush.interval.messages', 'Flush to disk after this many records.'],
  ['flush.ms', 'long', LONG_MAX, '>=0', 'log.flush.interval.ms', 'Flush to disk after this many milliseconds.'],
  ['follower.replication.throttled.replicas', 'list', '', 'partition:broker', '', 'Followers whose replication is throttled: partition:broker pairs, or * for all.'],
  ['index.interval.bytes', 'int', '4096', '>=0', 'log.index.interval.bytes', 'Bytes of log between two entries of the offset index.'],
  ['leader.replication.throttled.replicas', 'list', '', 'partition:broker', '', 'Leaders whose replication is throttled: partition:broker pairs, or * for all.'],
  ['local.retention.bytes', 'long', '-2', '>=-2', 'log.local.retention.bytes', 'Bytes kept on local disk of a tiered partition; -2 follows retention.bytes.'],
  ['local.retention.ms', 'long', '-2', '>=-2', 'log.local.retention.ms', 'Time kept on local disk of a tiered partition; -2 follows retention.ms.'],
  ['max.compaction.lag.ms', 'long', LONG_MAX, '>=1', 'log.cleaner.max.compaction.lag.ms', 'The longest a record may stay uncompacted.'],
  ['max.message.bytes', 'int', '1048588', '>=0', 'message.max.bytes', 'The largest batch accepted, as compressed.'],
  ['message.timestamp.after.max.ms', 'long', '3600000', '>=0', 'log.message.timestamp.after.max.ms', 'How far ahead of the broker\'s clock a record\'s timestamp may be.'],
  ['message.timestamp.before.max.ms', 'long', LONG_MAX, '>=0', 'log.message.timestamp.before.max.ms', 'How far behind the broker\'s clock a record\'s timestamp may be.'],
  ['message.timestamp.type', 'string', 'CreateTime', 'CreateTime|LogAppendTime', 'log.message.timestamp.type', 'Whether a record keeps its producer\'s timestamp or takes the time of the append.'],
  ['milena.jurisdiction', 'string', '', '|eu|fedramp|us', '', 'Where the objects of the topic\'s partitions stay, said when it is created: its objects are named by it.'],
  ['milena.location.hint', 'string', '', '|afr|apac|apac-ne|apac-se|eeur|enam|me|oc|sam|weur|wnam', '', 'Where the object of a partition is made, if there is room, when it is first used; it does not move later.'],
  ['min.cleanable.dirty.ratio', 'double', '0.5', '0..1', 'log.cleaner.min.cleanable.ratio', 'Share of uncompacted bytes from which on a log is compacted.'],
  ['min.compaction.lag.ms', 'long', '0', '>=0', 'log.cleaner.min.compaction.lag.ms', 'The shortest a record stays uncompacted.'],
  ['min.insync.replicas', 'int', '1', '>=1', 'min.insync.replicas', 'Replicas that must be in sync before a write with acks=all is taken.'],
  ['preallocate', 'boolean', 'false', '', 'log.preallocate', 'Reserve the file of a new segment on disk at once.'],
  ['remote.log.copy.disable', 'boolean', 'false', '', '', 'Stop copying segments of a tiered topic to remote storage.'],
  ['remote.log.delete.on.disable', 'boolean', 'false', '', '', 'Delete remote segments when tiering of the topic is turned off.'],
  ['remote.storage.enable', 'boolean', 'false', '', 'milena.remote.storage.enable', 'Copy closed segments to remote storage.'],
  ['retention.bytes', 'long', '-1', '', 'log.retention.bytes', 'Size of a partition above which its oldest segments go; -1 is without limit.'],
  ['retention.ms', 'long', '604800000', '>=-1', 'log.retention.ms', 'Age above which a partition\'s oldest segments go; -1 is without limit.'],
  ['segment.bytes', 'int', '1073741824', '>=1048576', 'log.segment.bytes', 'Size at which a segment is closed.'],
  ['segment.index.bytes', 'int', '10485760', '>=4', 'log.index.size.max.bytes', 'The largest a segment\'s index file may grow.'],
  ['segment.jitter.ms', 'long', '0', '>=0', 'log.roll.jitter.ms', 'A random part taken off segment.ms, so that segments do not all close together.'],
  ['segment.ms', 'long', '604800000', '>=1', 'log.roll.ms', 'Age at which a segment is closed even when it is not full.'],
  ['unclean.leader.election.enable', 'boolean', 'false', '', 'unclean.leader.election.enable', 'Let a replica that is not in sync lead when no other is left, at the price of records.'],
] as const satisfies readonly Row[];

export type TopicConfigName = (typeof ROWS)[number][0];

export interface TopicConfigDefinition extends ConfigDefinition {
  readonly name: TopicConfigName;
  /** The broker setting that gives the default; undefined when there is none. */
  readonly synonym: string | undefined;
}

/** Ascending by name. */
export const TOPIC_CONFIGS: readonly TopicConfigDefinition[] = ROWS.map(
  ([name, type, defaultValue, rule, synonym, documentation]) => ({
    name,
    type,
    defaultValue,
    rule,
    synonym: synonym || undefined,
    dynamic: true,
    documentation,
  }),
);

const BY_NAME: ReadonlyMap<string, TopicConfigDefinition> = new Map(
  TOPIC_CONFIGS.map((row) => [row.name, row]),
);

export function topicConfigDefinition(name: string): TopicConfigDefinition | undefined {
  return BY_NAME.get(name);
}
