import type { Millis } from '../model/ids.ts';
import { ofGroup } from './consumer-config.ts';
import type { Context } from './context.ts';

export function shareSessionTimeoutMs(context: Context, groupId: string): Millis {
  const { shareSessionTimeoutMs: usual, shareMinSessionTimeoutMs: min } = context.config;
  const { shareMaxSessionTimeoutMs: max } = context.config;
  return ofGroup(context, groupId, 'share.session.timeout.ms', { usual, min, max });
}

export function shareHeartbeatIntervalMs(context: Context, groupId: string): Millis {
  const { shareHeartbeatIntervalMs: usual, shareMinHeartbeatIntervalMs: min } = context.config;
  const { shareMaxHeartbeatIntervalMs: max } = context.config;
  return ofGroup(context, groupId, 'share.heartbeat.interval.ms', { usual, min, max });
}

export function shareAssignmentIntervalMs(context: Context, groupId: string): Millis {
  const { shareAssignmentIntervalMs: usual, shareMinAssignmentIntervalMs: min } = context.config;
  const { shareMaxAssignmentIntervalMs: max } = context.config;
  return ofGroup(context, groupId, 'share.assignment.interval.ms', { usual, min, max });
}
