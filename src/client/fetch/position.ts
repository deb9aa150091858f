import { agoMs, type Duration } from '../../model/duration.ts';
import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { invalidArgument, type MilenaError } from '../errors.ts';

/** How long ago: `-90s`, `-15m`, `-1h`, `-7d`. */
export type Ago = `-${Duration}`;

/** A moment: milliseconds since 1970, a `Date`, or how long ago. */
export type Time = Millis | { getTime(): Millis } | Ago;

/**
 * Where to read in a partition. `earliest` and `latest`: the first record that is there, the next that will be. A
 * number is an offset; below 0 it counts from the end. A time, by name or as text: the first record that is not older,
 * else the end.
 */
export type Position =
  | 'earliest'
  | 'latest'
  | Offset
  | Ago
  | { readonly offset: Offset; readonly leaderEpoch?: LeaderEpoch | undefined }
  | { readonly time: Time };

/** A position as the lookups take it. */
export type Place =
  | { readonly kind: 'offset'; readonly offset: Offset; readonly leaderEpoch: LeaderEpoch }
  /** -2 the first, -1 the end, else a time. */
  | { readonly kind: 'time'; readonly timestamp: number };

export const EARLIEST = -2;
export const LATEST = -1;

/** @throws MilenaError INVALID_ARGUMENT */
export function placeOf(position: Position, nowMs: Millis): Place {
  if (position === 'earliest') return { kind: 'time', timestamp: EARLIEST };
  if (position === 'latest') return { kind: 'time', timestamp: LATEST };
  if (typeof position === 'string') return { kind: 'time', timestamp: timeOf(position, nowMs) };
  if (typeof position === 'object' && 'time' in position)
    return { kind: 'time', timestamp: timeOf(position.time, nowMs) };
  const { offset, leaderEpoch = -1 } = typeof position === 'number' ? { offset: position } : position;
  if (!Number.isSafeInteger(offset)) throw notAPosition(`an offset is a whole number, not ${offset}`);
  return { kind: 'offset', offset, leaderEpoch };
}

/** Where to go on when a position is not there: an offset is meant, and nothing else. */
export function policyOf(from: Position): Position | 'throw' {
  const isOffset = typeof from === 'number' || (typeof from === 'object' && 'offset' in from);
  return isOffset ? 'throw' : from;
}

/** Milliseconds since 1970. @throws MilenaError INVALID_ARGUMENT */
export function timeOf(time: Time, nowMs: Millis): Millis {
  const timeMs =
    typeof time === 'string'
      ? nowMs - (agoMs(time) ?? Number.NaN)
      : typeof time === 'number'
        ? time
        : time.getTime();
  if (!Number.isFinite(timeMs))
    throw notAPosition(`${typeof time === 'object' ? 'an invalid date' : `"${time}"`} is no time`);
  return Math.max(Math.floor(timeMs), 0);
}

function notAPosition(message: string): MilenaError {
  return invalidArgument(message, "a position is 'earliest', 'latest', an offset, { time } or such as '-1h'");
}
