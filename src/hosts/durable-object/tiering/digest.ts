import { forEachBatch } from '../../../records/header.ts';

/** Of batches one behind the other: others of the same size have another, but for one in four billion. */
export function batchesDigest(chunks: Iterable<Uint8Array>): number {
  let digest = 0x811c9dc5;
  for (const chunk of chunks)
    forEachBatch(chunk, ({ baseOffset, crc }) => {
      for (const word of [baseOffset % 2 ** 32, crc]) digest = Math.imul(digest ^ word, 0x0100_0193);
    });
  return digest >>> 0;
}
