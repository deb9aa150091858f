import type { Millis, Offset } from '../model/ids.ts';
import { type Segment, sizeOfAll } from '../ports/log-store.ts';
import type { LogConfig } from './config.ts';

export interface RetentionContext {
  config: Pick<LogConfig, 'cleanupPolicy' | 'retentionMs' | 'retentionBytes'>;
  nowMs: Millis;
  highWatermark: Offset;
}

/**
 * Where the log starts once its oldest segments are gone: those older by their largest timestamp than `retention.ms`,
 * and as many as the log is above `retention.bytes` without them. Whole segments, below the high watermark; a younger
 * one keeps those behind it, as in Kafka. Also the active one, which the caller rolls first. A segment without a
 * timestamp has no age.
 * @returns undefined when all stay.
 */
export function retainedFrom(segments: readonly Segment[], context: RetentionContext): Offset | undefined {
  const { config, nowMs, highWatermark } = context;
  if (!config.cleanupPolicy.includes('delete')) return undefined;
  let excessBytes = sizeOfAll(segments) - config.retentionBytes;
  let from: Offset | undefined;
  for (const [number, { nextOffset, sizeBytes, maxTimestamp }] of segments.entries()) {
    const isEmptyActive = number === segments.length - 1 && sizeBytes === 0;
    const isOld = maxTimestamp >= 0 && nowMs - maxTimestamp > config.retentionMs;
    const isExcess = excessBytes >= sizeBytes;
    if (isEmptyActive || nextOffset > highWatermark || !(isOld || isExcess)) break;
    excessBytes -= sizeBytes;
    from = nextOffset;
  }
  return from;
}
