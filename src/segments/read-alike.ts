import { sameBytes } from '../model/bytes.ts';
import type { OpenFile } from '../ports/files.ts';

const READS_MAX = 8;

/**
 * For bytes that are written again, where a bit that was wrong on its way would stay so: two reads in a row gave the
 * same. @returns as many as there are, `sizeBytes` at most.
 */
export async function readAlike(file: OpenFile, position: number, sizeBytes: number): Promise<Uint8Array> {
  let before: Uint8Array | undefined;
  for (let reads = 0; reads < READS_MAX; reads++) {
    const bytes = new Uint8Array(sizeBytes);
    const filled = await file.read(position, bytes);
    const read = bytes.subarray(0, filled);
    if (before && sameBytes(before, read)) return read;
    before = read;
  }
  throw new Error(`${READS_MAX} reads at byte ${position} each gave something else`);
}
