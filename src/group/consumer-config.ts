import type { Millis } from '../model/ids.ts';
import { type Consumer, isClassic } from './consumer-member.ts';
import type { Context } from './context.ts';

/** Of a classic member what it asked for, else the group's own setting. */
export function sessionTimeoutMs(context: Context, groupId: string, member: Consumer): Millis {
  if (isClassic(member)) return member.classicMemberMetadata?.sessionTimeoutMs ?? 0;
  const { consumerSessionTimeoutMs: usual } = context.config;
  const { consumerMinSessionTimeoutMs: min, consumerMaxSessionTimeoutMs: max } = context.config;
  return ofGroup(context, groupId, 'consumer.session.timeout.ms', { usual, min, max });
}

export function heartbeatIntervalMs(context: Context, groupId: string): Millis {
  const { consumerHeartbeatIntervalMs: usual } = context.config;
  const { consumerMinHeartbeatIntervalMs: min, consumerMaxHeartbeatIntervalMs: max } = context.config;
  return ofGroup(context, groupId, 'consumer.heartbeat.interval.ms', { usual, min, max });
}

export function assignmentIntervalMs(context: Context, groupId: string): Millis {
  const { consumerAssignmentIntervalMs: usual } = context.config;
  const { consumerMinAssignmentIntervalMs: min, consumerMaxAssignmentIntervalMs: max } = context.config;
  return ofGroup(context, groupId, 'consumer.assignment.interval.ms', { usual, min, max });
}

/** The broker's bounds hold for what a group has set, not for the broker's own. */
export function ofGroup(
  { cluster }: Context,
  groupId: string,
  name: string,
  { usual, min, max }: { usual: Millis; min: Millis; max: Millis },
): Millis {
  const set = Number(cluster.groupConfigs(groupId).get(name) ?? Number.NaN);
  return Number.isNaN(set) ? usual : Math.min(Math.max(set, min), max);
}
