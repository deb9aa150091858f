import type { Position } from '../client/fetch/position.ts';
import type { Millis } from '../model/ids.ts';
import { boundOf } from './transfer/range.ts';

/** Where to begin: as {@link positionOf}, and `-20` from the end. @throws CliError */
export function beginOf(option: string, text: string, nowMs: Millis): Position {
  return /^-\d{1,9}$/.test(text) ? Number(text) : positionOf(option, text, nowMs);
}

/** `earliest`, `latest`, an offset, or a time: see {@link boundOf}. @throws CliError */
export function positionOf(option: string, text: string, nowMs: Millis): Position {
  if (text === 'earliest' || text === 'latest') return text;
  const bound = boundOf(option, text, nowMs);
  if (bound === undefined) return 'latest';
  return bound.type === 'offset' ? bound.offset : { time: bound.timestamp };
}
