import type { MemoryFiles } from './memory-files.ts';

/** A byte of a file that is read wrong. */
export interface Misread {
  path: string;
  at: number;
}

/** The bit of it that is. */
const BIT = 0x01;

/** One read of that byte gives one wrong bit; the device has the right one. @returns whether there was such a read. */
export function misread(files: MemoryFiles, number: number, { path, at }: Misread): () => boolean {
  let reads = 0;
  files.onRead = (read, position, bytes) => {
    const here = at - position;
    if (read !== path || here < 0 || here >= bytes.length || reads++ !== number) return;
    bytes[here] = (bytes[here] ?? 0) ^ BIT;
  };
  return () => reads > number;
}
