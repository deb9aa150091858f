import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';
import { type BatchRecords, records } from '../records/batch.ts';
import type { Codecs } from '../records/codecs.ts';
import { BatchHeader, HEADER_SIZE } from '../records/header.ts';

/**
 * Hands every record of `bytes` (whole batches) to `apply`, a batch at a time; control batches are passed over.
 * @returns the offset after the last batch.
 */
export async function replay(
  { kernels, codecs }: { kernels: Kernels; codecs: Codecs },
  bytes: Uint8Array,
  apply: (batch: BatchRecords) => void,
): Promise<Offset> {
  const header = new BatchHeader(bytes);
  let nextOffset = 0;
  for (let at = 0; at + HEADER_SIZE <= bytes.length; at += header.seek(at).sizeBytes) {
    header.seek(at);
    nextOffset = header.lastOffset + 1;
    if (header.isControl) continue;
    const batch = records(header.bytes, kernels, codecs);
    apply(batch instanceof Promise ? await batch : batch);
  }
  return nextOffset;
}
