import type { Kernels } from '../kernels/kernels.ts';
import { concat } from '../model/bytes.ts';
import type { Millis } from '../model/ids.ts';
import type { BatchRecords } from './batch.ts';
import { andThen, CODEC, codecOf } from './codecs.ts';
import type { Codecs, MaybePromise } from './codecs.ts';
import { BatchHeader, HEADER_SIZE, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL } from './header.ts';
import { readVarint } from './varint.ts';

/** What is kept of a batch. */
export interface Retained {
  /** By index, whether a record stays. At least one does. */
  keeps: (index: number) => boolean;
  /** From then on its tombstones, or its marker, may go; undefined leaves the batch as it says. */
  deleteHorizonMs?: Millis | undefined;
}

/**
 * The batch without the records that go, as Kafka's cleaner writes it: offsets, sequences and codec stay, and so do the
 * bytes of what is kept, unless a new horizon, which is the base of timestamps, changes what they are relative to.
 */
export function retainRecords(
  tools: { kernels: Kernels; codecs: Codecs },
  found: BatchRecords,
  { keeps, deleteHorizonMs }: Retained,
): MaybePromise<Uint8Array> {
  const { header, place } = found;
  const moves = deleteHorizonMs === undefined ? undefined : header.baseTimestamp - deleteHorizonMs;
  const kept: Uint8Array[] = [];
  let maxTimestamp = -1;
  const cursor = found.cursor();
  const reader = { bytes: place.block, at: 0 };
  for (let index = 0; cursor.next(); index++) {
    const start = reader.at;
    const length = readVarint(reader);
    const body = reader.at;
    reader.at += length;
    if (!keeps(index)) continue;
    maxTimestamp = Math.max(maxTimestamp, cursor.timestamp);
    const isMoved = moves !== undefined && moves !== 0;
    kept.push(
      isMoved
        ? movedRecord(place.block, { body, end: reader.at, moves })
        : place.block.subarray(start, reader.at),
    );
  }
  const { codec } = header;
  const plain = concat(kept);
  const packed = codec === CODEC.none ? plain : codecOf(tools.codecs, codec).compress(plain);
  return andThen(packed, (block) => {
    const bytes = withBlock(header, block);
    const rewritten = new BatchHeader(bytes);
    const times = { maxTimestamp: header.isLogAppendTime ? header.maxTimestamp : maxTimestamp };
    rewritten.setRetained({ recordsCount: kept.length, ...times });
    if (deleteHorizonMs !== undefined) rewritten.setDeleteHorizon(deleteHorizonMs);
    rewritten.seal(tools.kernels, bytes.length);
    return bytes;
  });
}

/** The header of a batch, from which all records are gone: who wrote it, and where it ended. */
export function emptyBatch(kernels: Kernels, header: BatchHeader): Uint8Array {
  const bytes = withBlock(header, new Uint8Array(0));
  const empty = new BatchHeader(bytes);
  const { maxTimestamp } = header;
  empty.attributes = header.attributes & (LOG_APPEND_TIME | TRANSACTIONAL | CONTROL);
  empty.setRetained({ recordsCount: 0, maxTimestamp, baseTimestamp: maxTimestamp });
  empty.seal(kernels, bytes.length);
  return bytes;
}

function withBlock(header: BatchHeader, block: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + block.length);
  bytes.set(header.bytes.subarray(0, HEADER_SIZE));
  bytes.set(block, HEADER_SIZE);
  return bytes;
}

/** The record whose body lies at `body`, with `moves` added to its timestamp delta. */
function movedRecord(
  block: Uint8Array,
  { body, end, moves }: { body: number; end: number; moves: number },
): Uint8Array {
  const delta = readVarlong(block, body + 1);
  const rest = block.subarray(delta.end, end);
  const written = varlong(delta.value + BigInt(moves));
  const length = varlong(BigInt(1 + written.length + rest.length));
  return concat([length, block.subarray(body, body + 1), written, rest]);
}

/** A zig-zag varint of at most 64 bits. Bytes a kernel has checked. */
function readVarlong(bytes: Uint8Array, at: number): { value: bigint; end: number } {
  let raw = 0n;
  let end = at;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[end++] ?? 0;
    raw |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { value: BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n)), end };
}

function varlong(value: bigint): Uint8Array {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; raw >= 0x80n; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80);
  bytes.push(Number(raw));
  return Uint8Array.from(bytes);
}
