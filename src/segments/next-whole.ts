import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';
import { readAgain } from '../ports/read-again.ts';
import type { OpenFile } from '../ports/files.ts';
import { BatchHeader, CRC_START, HEADER_SIZE } from '../records/header.ts';
import { readAlike } from './read-alike.ts';

/** A batch whose checksum is right. */
export interface WholeBatch {
  position: number;
  endPosition: number;
  baseOffset: Offset;
  lastOffset: Offset;
}

export interface WholeSearch {
  /** Where the damaged batch starts. */
  damagedAt: number;
  endPosition: number;
  /** All offsets of the batch lie in between. */
  fromOffset: Offset;
  endOffset: Offset;
  kernels: Kernels;
}

const SLICE_BYTES = 256 * 1024;

/**
 * The next whole batch behind a damaged one: where the damaged one says it ends, or else the first there is. What a
 * record holds may look like a batch too: that is why the damaged one is asked first, and why another must follow.
 */
export async function nextWhole(file: OpenFile, search: WholeSearch): Promise<WholeBatch | undefined> {
  const { damagedAt, endPosition } = search;
  const damaged = await headerAt(file, damagedAt, endPosition);
  const framed = damaged && (await wholeAt(file, damagedAt + damaged.sizeBytes, search));
  if (framed && (await whatFollows(file, framed, endPosition)) !== 'a dispute') return framed;
  const step = SLICE_BYTES - HEADER_SIZE + 1;
  for (let from = damagedAt + 1; from + HEADER_SIZE <= endPosition; from += step) {
    const slice = await readAlike(file, from, Math.min(SLICE_BYTES, endPosition - from));
    const header = new BatchHeader(slice);
    for (let at = 0; at + HEADER_SIZE <= slice.length; at++) {
      if (!isPlausible(header.seek(at), from + at, search)) continue;
      const found = await wholeAt(file, from + at, search);
      if (found && (await whatFollows(file, found, endPosition)) === 'a batch') return found;
    }
  }
  return undefined;
}

function wholeAt(file: OpenFile, position: number, search: WholeSearch): Promise<WholeBatch | undefined> {
  return readAgain(() => readWhole(file, position, search));
}

async function readWhole(
  file: OpenFile,
  position: number,
  search: WholeSearch,
): Promise<WholeBatch | undefined> {
  const header = position > search.damagedAt ? await headerAt(file, position, search.endPosition) : undefined;
  if (!header || !isPlausible(header, position, search)) return undefined;
  const { sizeBytes, baseOffset, lastOffset, crc } = header;
  const bytes = new Uint8Array(sizeBytes);
  await file.read(position, bytes);
  if (search.kernels.crc32c(bytes.subarray(CRC_START)) !== crc) return undefined;
  return { position, endPosition: position + sizeBytes, baseOffset, lastOffset };
}

function isPlausible(header: BatchHeader, position: number, search: WholeSearch): boolean {
  if (header.magic !== 2) return false;
  const { sizeBytes, baseOffset, lastOffset, lastOffsetDelta } = header;
  if (sizeBytes < HEADER_SIZE || sizeBytes > search.endPosition - position) return false;
  return baseOffset >= search.fromOffset && lastOffsetDelta >= 0 && lastOffset < search.endOffset;
}

/** A base offset has no checksum: of two batches that both claim an offset neither is believed. */
async function whatFollows(
  file: OpenFile,
  batch: WholeBatch,
  endPosition: number,
): Promise<'a batch' | 'a dispute' | 'no batch'> {
  const next = await headerAt(file, batch.endPosition, endPosition);
  if (next !== undefined && next.magic !== 2) return 'no batch';
  return next === undefined || next.baseOffset > batch.lastOffset ? 'a batch' : 'a dispute';
}

/** Undefined where the file has none. */
export async function headerAt(
  file: OpenFile,
  position: number,
  endPosition: number,
): Promise<BatchHeader | undefined> {
  if (position + HEADER_SIZE > endPosition) return undefined;
  return new BatchHeader(await readAlike(file, position, HEADER_SIZE));
}
