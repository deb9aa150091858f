import { agoMs } from '../model/duration.ts';
import type { Millis } from '../model/ids.ts';

/** `-90m` (before now), `now`, or a date of ISO 8601; undefined when it is none of them. */
export function timeIn(text: string, nowMs: Millis): Millis | undefined {
  if (text === 'now') return nowMs;
  const backMs = agoMs(text);
  if (backMs !== undefined) return nowMs - backMs;
  const timestamp = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timestamp) ? undefined : timestamp;
}
