import { durationMs } from '../../model/duration.ts';
import type { Millis } from '../../model/ids.ts';
import { invalidArgument } from '../errors.ts';

/** A span of time: milliseconds, or such as `7d`. @throws MilenaError INVALID_ARGUMENT */
export function spanMs(what: string, given: number | string): Millis {
  const ms = typeof given === 'number' ? given : durationMs(given);
  if (ms !== undefined && Number.isSafeInteger(ms)) return ms;
  throw invalidArgument(`${what} takes milliseconds or a span, not "${given}"`, 'such as 7d, 12h, 90s');
}
