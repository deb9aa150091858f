import { agoMs } from '../model/duration.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { invalid } from './errors.ts';

/** Milliseconds since 1970, a Date, or a text: `-90s`, `-15m`, `-1h`, `-7d`, `2026-11-01T00:00Z`. */
export type Time = Millis | Date | string;

/** Where reading starts. */
export type From =
  /** The first record there is. */
  | 'earliest'
  /** What is written from now on. */
  | 'latest'
  /** Below zero: so many records before the end, in each partition. Else an offset. */
  | number
  /** The first record at that time or after it. */
  | { readonly time: Time }
  /** By partition, as `position` of a subscription; a partition that is not in it from its start. */
  | { readonly [partition: number]: Offset };

/** As it stands in a URL: `-50`, `earliest`, `-1h`, `2026-11-01`. */
export function fromOf(text: string): From {
  if (text === 'earliest' || text === 'latest') return text;
  return /^-?\d+$/.test(text) ? Number(text) : { time: text };
}

/** The time that reading starts at; undefined when it starts elsewhere. @throws MilenaError INVALID_ARGUMENT */
export function timeIn(from: From, nowMs: Millis): Millis | undefined {
  if (typeof from !== 'object' || !('time' in from)) return undefined;
  const time = from.time as Time;
  const text = String(time);
  const backMs = agoMs(text);
  const ms = backMs === undefined ? new Date(time).getTime() : nowMs - backMs;
  if (Number.isNaN(ms)) throw invalid(`${text} is no time`, 'write -1h, or 2026-11-01T00:00Z');
  // Below zero are Kafka's signs for other things.
  return Math.max(0, ms);
}

/** What a position says of a partition. */
export function resumedAt(from: From, partition: number): Offset | undefined {
  return typeof from === 'object' ? (from as Readonly<Record<number, Offset>>)[partition] : undefined;
}

/** Of one partition; `latest` is the one after the last, `atTime` what there is at the time that was asked for. */
export interface Bounds {
  earliest: Offset;
  latest: Offset;
  atTime: Offset | undefined;
}

/** Of what no position says it. */
export function offsetFrom(from: From, { earliest, latest, atTime }: Bounds): Offset {
  if (from === 'latest') return latest;
  if (typeof from === 'number') return Math.max(earliest, Math.min(from < 0 ? latest + from : from, latest));
  // At that time, or later, there is nothing: what comes will be.
  if (atTime !== undefined) return atTime < 0 ? latest : atTime;
  return earliest;
}
