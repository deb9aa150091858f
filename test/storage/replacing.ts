import type { LogKey } from '../../src/model/ids.ts';
import type { LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { append } from './batches.ts';
import type { ModelBatch } from './model-log.ts';

/** A part of a log that is written anew. */
export interface Replace {
  type: 'replace';
  log: LogKey;
  fromOffset: number;
  toOffset: number;
  /** All there is in it then. */
  batches: readonly Extract<LogWrite, { type: 'append' }>[];
}

/**
 * Of the batches in a range some go, some become smaller, and the last one stays. @param fates one a batch, again from
 * the start where there are more.
 */
export function replaceOf(
  { log, fromOffset, toOffset }: Pick<Replace, 'log' | 'fromOffset' | 'toOffset'>,
  held: readonly ModelBatch[],
  fates: readonly ('goes' | 'shrinks')[],
): Replace {
  const inside = held.filter(
    ({ baseOffset, lastOffset }) => baseOffset >= fromOffset && lastOffset < toOffset,
  );
  const batches = inside.flatMap(({ baseOffset, lastOffset, timestamp }, number) => {
    if (fates[number % fates.length] === 'goes' && number < inside.length - 1) return [];
    return append({ log, baseOffset, records: lastOffset - baseOffset + 1, timestamp, valueBytes: 2 });
  });
  return { type: 'replace', log, fromOffset, toOffset, batches };
}

/** Does it, a batch at a time, all of them by way of the same memory. */
export async function replaceIn(
  store: LogStore,
  { log, toOffset, batches, fromOffset }: Replace,
): Promise<boolean> {
  const replacement = store.replace(log, { fromOffset, toOffset });
  const memory = new Uint8Array(Math.max(0, ...batches.map(({ bytes }) => bytes.length)));
  for (const { bytes, lastOffset } of batches) {
    memory.set(bytes);
    await replacement.write(memory.subarray(0, bytes.length), lastOffset + 1);
    memory.fill(0xff);
  }
  await replacement.write(new Uint8Array(0), toOffset);
  return replacement.finish();
}
