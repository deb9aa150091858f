import type { Millis, Offset } from '../../model/ids.ts';
import { timeIn } from '../time-in.ts';
import { usage } from '../options.ts';

/** One end of a range: an offset, a time, or all there is. */
export type Bound = { type: 'offset'; offset: Offset } | { type: 'time'; timestamp: Millis } | undefined;

/** `42`, `-90m` (before now), `now`, or a date of ISO 8601. @throws CliError */
export function boundOf(option: string, text: string | undefined, nowMs: Millis): Bound {
  if (text === undefined) return undefined;
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)))
    return { type: 'offset', offset: Number(text) };
  const timestamp = timeIn(text, nowMs);
  if (timestamp !== undefined) return { type: 'time', timestamp };
  throw usage(
    `${option} takes an offset or a time, not "${text}"`,
    'such as 1200, -90m, now, 2026-11-25, 2026-11-25T12:00:00Z',
  );
}

/** Where batches of a topic come from: a broker, or files. */
export interface BatchSource {
  bounds(partition: number): Promise<{ startOffset: Offset; endOffset: Offset }>;
  offsetAt(partition: number, timestamp: Millis): Promise<Offset | undefined>;
  batches(partition: number, fromOffset: Offset, endOffset: Offset): AsyncIterable<Uint8Array>;
}

/** The offsets of one partition that are asked for, within what there is. */
export async function rangeOf(
  source: BatchSource,
  partition: number,
  { from, to }: { from: Bound; to: Bound },
): Promise<{ fromOffset: Offset; endOffset: Offset }> {
  const { startOffset, endOffset } = await source.bounds(partition);
  const at = async (bound: Bound, otherwise: Offset): Promise<Offset> => {
    if (bound === undefined) return otherwise;
    if (bound.type === 'offset') return bound.offset;
    return (await source.offsetAt(partition, bound.timestamp)) ?? endOffset;
  };
  return {
    fromOffset: Math.max(await at(from, startOffset), startOffset),
    endOffset: Math.min(await at(to, endOffset), endOffset),
  };
}
