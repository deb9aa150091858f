/** What consumer groups and client metrics subscriptions can be told. */
import type { ConfigDefinition, ConfigTypeName, Rule } from './definitions.ts';

/** name, type, default, rule, documentation. */
type Row = readonly [string, ConfigTypeName, string | null, Rule, string];

// prettier-ignore
const GROUP_ROWS: readonly Row[] = [
  ['consumer.assignment.interval.ms', 'int', '1000', '>=0', 'The shortest time between two assignments of a consumer group.'],
  ['consumer.heartbeat.interval.ms', 'int', '5000', '>=1', 'How often members of a consumer group send heartbeats.'],
  ['consumer.session.timeout.ms', 'int', '45000', '>=1', 'How long a silent member stays in a consumer group.'],
  ['share.assignment.interval.ms', 'int', '1000', '>=0', 'The shortest time between two assignments of a share group.'],
  ['share.auto.offset.reset', 'string', 'latest', 'earliest|latest|by_duration:<ISO-8601>', 'Where a share group starts: earliest, latest, or by_duration: and an ISO-8601 duration.'],
  ['share.delivery.count.limit', 'int', '5', '>=2', 'How often a record is delivered to a share group before it is given up.'],
  ['share.heartbeat.interval.ms', 'int', '5000', '>=1', 'How often members of a share group send heartbeats.'],
  ['share.isolation.level', 'string', 'read_uncommitted', 'read_committed|read_uncommitted', 'Whether a share group sees records of open transactions.'],
  ['share.partition.max.record.locks', 'int', '2000', '>=100', 'Records of one partition that a share group may have in delivery.'],
  ['share.record.lock.duration.ms', 'int', '30000', '>=1000', 'How long a delivered record stays with one member of a share group.'],
  ['share.renew.acknowledge.enable', 'boolean', 'true', '', 'Let members of a share group keep a record longer by renewing it.'],
  ['share.session.timeout.ms', 'int', '45000', '>=1', 'How long a silent member stays in a share group.'],
  ['streams.assignment.interval.ms', 'int', '1000', '>=0', 'The shortest time between two assignments of a streams group.'],
  ['streams.heartbeat.interval.ms', 'int', '5000', '>=1', 'How often members of a streams group send heartbeats.'],
  ['streams.initial.rebalance.delay.ms', 'int', '3000', '>=0', 'How long a new streams group waits for more members.'],
  ['streams.num.standby.replicas', 'int', '0', '>=0', 'Standby copies of each stateful task.'],
  ['streams.session.timeout.ms', 'int', '45000', '>=1', 'How long a silent member stays in a streams group.'],
];

// prettier-ignore
const CLIENT_METRICS_ROWS: readonly Row[] = [
  ['interval.ms', 'int', '300000', '100..3600000', 'How often clients push the metrics of this subscription.'],
  ['match', 'list', '', '', 'Which clients it is for: selectors such as client_id=pattern.'],
  ['metrics', 'list', '', '', 'Prefixes of the names of metrics to push; * for all.'],
];

function definition([name, type, defaultValue, rule, documentation]: Row): ConfigDefinition {
  return { name, type, defaultValue, rule, dynamic: true, documentation };
}

/** Ascending by name. */
export const GROUP_CONFIGS: readonly ConfigDefinition[] = GROUP_ROWS.map(definition);
/** Ascending by name. */
export const CLIENT_METRICS_CONFIGS: readonly ConfigDefinition[] = CLIENT_METRICS_ROWS.map(definition);
