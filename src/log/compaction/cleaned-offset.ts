import type { Kernels } from '../../kernels/kernels.ts';
import type { Offset } from '../../model/ids.ts';

/** Our name for the value beside a log; Kafka has one file for all logs. */
export const CLEANED_NAME = 'cleaner-offset-checkpoint';
const VERSION = '0';

/**
 * Up to where the last pass over a log has come. A false one would hide keys from later passes, and a tombstone could
 * go before the value it deletes: so it has a checksum.
 */
export function encodeCleanedOffset(offset: Offset, kernels: Kernels): Uint8Array {
  const said = `${VERSION}\n${offset}\n`;
  return new TextEncoder().encode(`${said}${checksumOf(said, kernels)}\n`);
}

/** Undefined when it is not what we wrote: the next pass begins at the start. */
export function decodeCleanedOffset(bytes: Uint8Array, kernels: Kernels): Offset | undefined {
  const [, said = '', offset = '', checksum] =
    /^(\d+\n(\d{1,16})\n)([\da-f]+)\n$/.exec(new TextDecoder().decode(bytes)) ?? [];
  if (!said.startsWith(`${VERSION}\n`) || checksum !== checksumOf(said, kernels)) return undefined;
  return Number.isSafeInteger(Number(offset)) ? Number(offset) : undefined;
}

function checksumOf(said: string, kernels: Kernels): string {
  return kernels.crc32c(new TextEncoder().encode(said)).toString(16);
}
